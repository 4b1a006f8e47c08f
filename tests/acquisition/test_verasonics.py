"""Verasonics workspaces, synthetic ones: a moving point comes back where and as fast as it was, however it is saved."""

import copy

import numpy as np
import pytest
import torch
from verasonics import RATE, SPEED, WAVELENGTH, C, F, Save, array, workspace
from workspaces import Cell, save_v5, save_v73

from myovivo.acquisition.acquire import acquire
from myovivo.acquisition.beamform import beamform
from myovivo.acquisition.content import CHANNEL_AXES
from myovivo.acquisition.demodulate import Demodulator
from myovivo.acquisition.inspection import inspect
from myovivo.acquisition.parameters import complete
from myovivo.acquisition.recordings import open_recording
from myovivo.acquisition.settings import Demodulation, Scan
from myovivo.errors import FileError, MyovivoError

WRITERS = {"v5": save_v5, "v7.3": save_v73}


@pytest.fixture(params=WRITERS)
def write(request, tmp_path):
    """Write a workspace as either kind of file."""

    def written(variables):
        WRITERS[request.param](tmp_path / "scan.mat", variables)
        return tmp_path / "scan.mat"

    return written


def saved(tmp_path, save, **changes):
    save_v73(tmp_path / "scan.mat", workspace(save, **changes))
    return tmp_path / "scan.mat"


def found_point(path, near, **changes):
    """Where the first frame is brightest, and how fast the phase there says that it comes."""
    grid = {
        "beamforming.depth": (near[1] - 2e-3, near[1] + 2e-3), "beamforming.width": (near[0] - 2e-3, near[0] + 2e-3),
        "beamforming.rows": 256, "beamforming.columns": 81,
    }  # fmt: skip
    recording = beamform(path, device="cpu", **(grid | changes))
    image = np.abs(recording.iq)
    row, column = np.unravel_index(image[0].argmax(), image[0].shape)
    dz, dx = recording.spacing
    place = (near[0] - 2e-3 + (column + 0.5) * dx, near[1] - 2e-3 + (row + 0.5) * dz)
    turn = np.angle(np.sum(recording.iq[1:, row, column] * recording.iq[:-1, row, column].conj()))
    return place, turn * C * recording.frame_rate / (4 * np.pi * F * 1e6)


def check(path, save, **changes):
    place, speed = found_point(path, save.point, **changes)
    assert abs(place[1] - save.point[1]) < WAVELENGTH / 8
    assert abs(place[0] - save.point[0]) < 0.1e-3
    assert speed == pytest.approx(SPEED, rel=0.03)


SAVES = {
    "three angles": Save(),
    "one angle": Save(angles=(0.05,)),
    "BS100BW": Save(mode="BS100BW", cycles=3.0),
    "BS67BW": Save(mode="BS67BW", cycles=3.5),
    "BS50BW": Save(mode="BS50BW", cycles=6.0),
    "NS200BWI": Save(mode="NS200BWI"),
    "custom": Save(mode="custom"),
    "mm": Save(units="mm"),
    "no lens, no start": Save(lens=0.0, start=0.0, peak=0.0),
    "a sequence repeated in each frame": Save(frames=2, repeats=5),
    "one frame of many": Save(frames=1, repeats=8, angles=(-0.1, 0.1)),
    "a buffer filled round and round": Save(newest=2),
    "diverging": Save(source=(0.5e-3, -6e-3)),
    "focused": Save(source=(1.2e-3, 22e-3)),
    "curved": Save(radius=20e-3, source=(0.0, -20e-3)),
}


@pytest.mark.parametrize("name", SAVES)
def test_a_moving_point_comes_back(write, name):
    check(write(workspace(SAVES[name])), SAVES[name])


@pytest.mark.parametrize("mode", ["BS100BW", "BS67BW", "BS50BW"])
def test_the_iq_of_each_channel_is_that_of_full_sampling(tmp_path, mode):
    """Bandwidth sampling holds the same pulse where its band is wide enough: same envelope, same phase, same time."""
    found = []
    for which in ("NS200BW", mode):
        content = open_recording(saved(tmp_path, Save(mode=which, cycles=8.0, frames=2, angles=(0.0,))))
        given = complete(content)
        record = next(content.frames.blocks(CHANNEL_AXES, 1))[0, 0].astype(np.float32)
        plan = Demodulator(
            len(record), given["sampling_frequency"].value, given["centre_frequency"].value,
            Demodulation(half_band=0.9e6), limit=given["half_band"].value if "half_band" in given else None,
        )  # fmt: skip
        iq = plan(torch.from_numpy(record)).numpy()
        found.append(iq[0] + 1j * iq[1])
    full, other = (iq[: min(map(len, found))] for iq in found)
    gain = np.vdot(other, full) / np.vdot(other, other)
    assert abs(np.angle(gain)) < 0.01
    assert np.abs(gain * other - full).max() < 0.02 * np.abs(full).max()


def test_interleaved_pairs_are_full_sampling_from_half_a_sample_before(tmp_path):
    full, pairs = (
        next(open_recording(saved(tmp_path, Save(mode=mode))).frames.blocks(CHANNEL_AXES, 1))
        for mode in ("NS200BW", "NS200BWI")
    )
    count = full.shape[2]  # pairs are filled up to a longer record
    assert np.abs(pairs[:, :, 1 : count + 1] - full).max() <= 1  # to the rounding of the samples


def test_a_band_wider_than_the_samples_hold_is_refused(tmp_path):
    with pytest.raises(MyovivoError, match=r"must lie within what the samples hold, 1\.25e"):
        beamform(saved(tmp_path, Save(mode="BS50BW")), **{"demodulation.half_band": 2e6})


def test_what_is_told_of_a_scan(write):
    save = Save(lens=1.0, peak=2.0, start=10.0)
    content = open_recording(write(workspace(save)))
    given = complete(content)
    assert content.format.endswith("Verasonics")
    assert content.shape[:2] == (6, 3)
    assert content.shape[3] == 32
    assert given["sampling_frequency"].value == pytest.approx(4 * F * 1e6)
    assert given["frame_rate"].value == pytest.approx(RATE)
    assert given["frame_rate"].origin == "file (SeqControl.timeToNextAcq)"
    assert given["angles"].value == pytest.approx(save.angles, abs=1e-6)
    assert given["element_x"].value == pytest.approx(array(save)[0], abs=1e-9)
    # The middle of the pulse passes the middle of the array as late as the first element's delay says.
    middle = (save.pitch * (save.elements - 1) / 2) * np.sin(np.abs(save.angles)) / C
    begin = (2 * 10 - 2 * 1 - 2) / F * 1e-6
    assert np.ravel(given["start_time"].value) == pytest.approx(begin - middle, abs=1e-10)


def test_the_whole_chain_measures_the_speed(write):
    save = Save(frames=12, angles=(0.0,), point=(0.0, 14e-3))
    quick = {"conditioning.band": None, "output.frame_rate": None, "output.rows": 16, "output.columns": 16}
    image = {"beamforming.depth": (13e-3, 15e-3), "beamforming.width": (-1e-3, 1e-3)}
    tvi = acquire(write(workspace(save)), quiet=True, device="cpu", **quick, **image)
    assert np.median(tvi.velocity[2:-2]) == pytest.approx(SPEED, rel=0.05)
    assert tvi.provenance["parameters"]["frame_rate"]["origin"] == "file (SeqControl.timeToNextAcq)"


@pytest.mark.parametrize("missing", ["Event", "SeqControl"])
def test_the_frame_rate_is_asked_for_by_name(tmp_path, missing):
    path = saved(tmp_path, Save(), **{missing: None})
    assert set(inspect(path).missing) == {"frame_rate"}
    with pytest.raises(FileError, match=r"frame_rate is missing: give scan\.frame_rate in Hz, or scan\.pulse_rate"):
        acquire(path, quiet=True)
    check(path, Save(), **{"scan.pulse_rate": 3 * RATE})


def test_one_of_several_buffers_is_named(tmp_path):
    variables = workspace(Save())
    data, receive = variables["RcvData"][0], variables["Receive"]
    other = [dict(one, bufnum=2.0) for one in receive]
    event = [dict(one, rcv=one["rcv"] + len(receive) if one["rcv"] else 0.0) for one in variables["Event"]]
    variables |= {"RcvData": Cell([0 * data, data]), "Receive": receive + other, "Event": variables["Event"] + event}
    save_v73(tmp_path / "scan.mat", variables)
    with pytest.raises(FileError, match=r"2 buffers \(1: .*, 2: .*\); name one with scan\.buffer"):
        open_recording(tmp_path / "scan.mat")
    with pytest.raises(FileError, match=r"scan\.buffer must be one of \[1, 2\], got 3"):
        open_recording(tmp_path / "scan.mat", Scan(buffer=3))
    check(tmp_path / "scan.mat", Save(), **{"scan.buffer": 2})


def test_a_buffer_means_nothing_elsewhere(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((4, 64, 8)))
    with pytest.raises(FileError, match=r"scan\.buffer"):
        open_recording(tmp_path / "a.npy", Scan(buffer=1))


def test_a_probe_with_more_elements_than_channels_has_its_aperture(tmp_path):
    """64 elements of which 32 are switched to the channels: those of the second aperture."""
    save = Save()
    variables = workspace(save)
    table = np.zeros((64, 2))
    table[:32, 0] = table[32:, 1] = np.ravel(variables["Trans"]["Connector"])
    x = (np.arange(64) - 31.5) * save.pitch
    place = np.stack([x / WAVELENGTH, 0 * x, 0 * x, 0 * x, 0 * x], 1)
    trans = variables["Trans"] | {"numelements": 64.0, "ElementPos": place, "HVMux": {"Aperture": table}}
    del trans["Connector"]
    receive = [dict(one, aperture=2.0) for one in variables["Receive"]]
    check(saved(tmp_path, save, Trans=trans, Receive=receive), save)
    receive[0]["aperture"] = 1.0
    with pytest.raises(FileError, match=r"Receive\.aperture differs"):
        open_recording(saved(tmp_path, save, Trans=trans, Receive=receive))


def test_element_signals_go_through_the_adapter(tmp_path):
    variables = workspace(Save())
    wires = np.ravel(variables["Trans"]["Connector"])
    adapter = np.random.default_rng(5).permutation(48) + 1.0
    signals = np.array([np.flatnonzero(adapter == wire)[0] + 1.0 for wire in wires])
    trans = {name: value for name, value in variables["Trans"].items() if name != "Connector"}
    path = saved(tmp_path, Save(), Trans=trans | {"ConnectorES": signals}, UTA={"TransConnector": adapter})
    check(path, Save())
    check(saved(tmp_path, Save(), Trans=trans | {"ConnectorES": wires}), Save())


def test_a_part_of_the_array_may_fire(tmp_path):
    save = Save(angles=(0.0,))
    weight = (np.arange(32) >= 8).astype(float)
    given = complete(open_recording(saved(tmp_path, save, TX=[dict(workspace(save)["TX"][0], Apod=weight)])))
    assert given["apertures"].value[0] == pytest.approx([array(save)[0][8] - save.pitch / 2, 16 * save.pitch])


@pytest.mark.parametrize("focus", [0.0, -25.0, 60.0])
def test_delays_that_were_not_saved_follow_from_focus_and_steering(tmp_path, focus):
    angle = 0.06
    aim = (focus * WAVELENGTH * np.sin(angle), focus * WAVELENGTH * np.cos(angle))
    save = Save(angles=(angle,)) if focus == 0 else Save(source=aim)
    tx = dict(workspace(save)["TX"][0], Delay=np.zeros((0, 0)), focus=focus, Steer=np.array([angle, 0.0]))
    check(saved(tmp_path, save, TX=[tx]), save)


RATES = [
    ("BS100BW", 20.0, 2.0),
    ("BS100BW", 10.0, None),
    ("BS50BW", 20.0, 4.0),
    ("BS67BW", 20 / 3, 1.0),
    ("NS200BW", 20.0, None),
]


@pytest.mark.parametrize(("mode", "decim", "quad"), RATES)
def test_the_sampling_rate_is_told_in_several_ways(tmp_path, mode, decim, quad):
    save = Save(mode=mode, cycles=6.0)
    receive = [
        {name: value for name, value in one.items() if name != "samplesPerWave"} | {"decimSampleRate": decim}
        for one in workspace(save)["Receive"]
    ]
    if quad:
        receive = [one | {"quadDecim": quad} for one in receive]
    check(saved(tmp_path, save, Receive=receive), save)


def changed(struct, place=None, **fields):
    """A workspace with other fields in a struct, or in one (or all) elements of a struct array."""

    def make():
        variables = workspace(Save())
        held = copy.copy(variables[struct])
        if isinstance(held, list):
            for number in range(len(held)) if place is None else [place]:
                held[number] = held[number] | fields
        else:
            held = held | fields
        return variables | {struct: held}

    return make


def pulses_of_both_signs():
    variables = workspace(Save(angles=(0.0, 0.05)))
    tw = [dict(variables["TW"][0], Parameters=np.array([F, 0.67, 2.0, sign])) for sign in (1.0, -1.0)]
    tx = [dict(one, waveform=number + 1.0) for number, one in enumerate(variables["TX"])]
    return variables | {"TW": tw, "TX": tx}


BAD = {
    "a matrix probe": (changed("Trans", type=2.0), "matrix array"),
    "a curved probe by name": (changed("Trans", name="C5-2v"), "C5-2v .*curved"),
    "positions in other units": (changed("Trans", units="mm"), "ElementPos .*spacing .*Trans.units"),
    "units of no kind": (changed("Trans", units="inch"), "Trans.units must be mm or wavelengths"),
    "no frequency": (changed("Trans", frequency=np.zeros((0, 0))), "Trans.frequency must be a positive number"),
    "a frequency that is none": (changed("Trans", frequency=np.nan), "Trans.frequency must be a finite number"),
    "a wire to nowhere": (changed("Trans", Connector=np.arange(30.0, 62.0)), "names channel 61, but RcvData has 48"),
    "a wire used twice": (changed("Trans", Connector=np.ones(32)), "names a channel twice"),
    "wires of other elements": (changed("Trans", Connector=np.arange(1.0, 9.0)), "of 8 elements, but .*numelements 32"),
    "accumulation": (changed("Receive", mode=1.0), "accumulates"),
    "an unknown mode": (changed("Receive", sampleMode="BS10BW"), "sampleMode must be one of"),
    "modes mixed": (changed("Receive", 4, sampleMode="BS100BW"), "sampleMode differs"),
    "rates that disagree": (changed("Receive", samplesPerWave=2.0), "Receive contradicts itself"),
    "acquisitions of other lengths": (changed("Receive", 4, endSample=1000.0), "of more than one sequence"),
    "beyond the buffer": (changed("Receive", 4, startSample=1e6, endSample=1e6 + 639), "but RcvData.1. has"),
    "no samples told": (changed("Receive", startSample=np.zeros((0, 0))), "startSample and endSample"),
    "the same acquisition twice": (changed("Receive", 1, acqNum=1.0), "same framenum and acqNum"),
    "delays of other elements": (changed("TX", Delay=np.zeros(7)), "TX.Delay is of 7 elements"),
    "delays of no wave": (changed("TX", Delay=np.tile([0.0, 3.0], 16)), "no plane, diverging or focused wave"),
    "steering out of the image": (changed("TX", Steer=np.array([0.0, 0.2])), "out of the image"),
    "an interleave of one": (changed("Receive", sampleMode="NS200BWI", samplesPerWave=2.0), "half a sample|pairs"),
    "pulses of both signs": (pulses_of_both_signs, "polarities"),
    "an event without its transmit": (changed("Event", 0, tx=9.0), "Event names TX 9, but there are 3"),
    "an event without its receive": (changed("Event", 0, rcv=99.0), "names Receive 99, but there are 18"),
    "a dropped event": (changed("Event", 1, rcv=0.0), "acquisitions; they must have as many"),
    "an empty buffer": (lambda: workspace(Save(), RcvData=Cell([np.zeros((0, 0))])), "RcvData is empty"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_told_is_refused_in_one_line(write, case):
    make, says = BAD[case]
    path = write(make())
    with pytest.raises(MyovivoError, match=says) as error:
        complete(open_recording(path))
    assert "\n" not in str(error.value)
    inspect(path)  # says it, too


@pytest.mark.parametrize("dropped", ["Receive", "Trans", "TX", "RcvData"])
def test_a_part_of_a_workspace_is_no_workspace(write, dropped):
    with pytest.raises(FileError, match=r"no layout fits|arrays"):
        open_recording(write(workspace(Save(frames=2), **{dropped: None})))
