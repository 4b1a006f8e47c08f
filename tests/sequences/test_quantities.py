"""One table says what quantities can be, and every entry asks after the unit of what lies outside."""

import warnings

import numpy as np
import pytest

import myovivo as mv
from myovivo.errors import InputError, UnitWarning
from myovivo.sequences.quantities import PLAUSIBLE, plausible
from myovivo.sequences.sequence import Sequence

STILL = np.zeros((4, 8, 8), np.float32)
RF = np.random.default_rng(0).standard_normal((8, 32, 8))
CHANNELS = {"pitch": 3e-4, "frame_rate": 1e3, "sampling_frequency": 2e7, "centre_frequency": 5e6}


def channels(**changes):
    return lambda: mv.ChannelData.of_array(RF, **{**CHANNELS, **changes})


def recording(**changes):
    scan = {"frame_rate": 1e3, "spacing": (1e-4, 3e-4), "centre_frequency": 5e6, **changes}
    return lambda: mv.Recording.of_array(np.ones((4, 8, 8), complex), **scan)


IMPOSSIBLE = {
    "simulate: depth in mm": (lambda: mv.simulate(**{"grid.depth": 40}), "grid.depth: .*40 m cannot be; is it in mm"),
    "simulate: width in mm": (lambda: mv.simulate(**{"grid.width": 40}), "grid.width: .*is it in mm"),
    "simulate: kHz": (lambda: mv.simulate(**{"grid.frame_rate": 0.4}), "frame_rate of 0.4 Hz cannot be"),
    "simulate: rate of a unit in ms": (lambda: mv.simulate(**{"firing.rate": (400, 900)}), "firing_rate of 400 Hz"),
    "a domain": (lambda: mv.simulate_domain("nowhere", **{"grid.depth": 40}), "is it in mm"),
    "phantom: depth in mm": (lambda: mv.phantom(**{"grid.depth": 40}), "is it in mm"),
    "phantom: MHz": (lambda: mv.phantom(**{"imaging.centre_frequency": 7.5}), "is it in MHz"),
    "phantom: mm/us": (lambda: mv.phantom(**{"imaging.sound_speed": 1.54}), "is it in mm/us"),
    "sequence: pixels in mm": (lambda: Sequence(STILL, 512, (0.3, 0.3)), "spacing dz of 0.3 m cannot be; is it in mm"),
    "sequence: pixels in um": (lambda: Sequence(STILL, 512, (1e-3, 3e-8)), "spacing dx of 3e-08 m cannot be"),
    "sequence: half a metre": (
        lambda: Sequence(np.zeros((2, 400, 2)), 512, (2e-3, 1e-3)),
        "400 pixels of 0.8 m",
    ),
    "sequence: MHz": (lambda: Sequence(STILL, 0.02, (1e-3, 1e-3)), "frame_rate of 0.02 Hz cannot be"),
    "channels: MHz": (channels(sampling_frequency=20.0), "sampling_frequency of 20 Hz cannot be; is it in MHz"),
    "channels: MHz of the pulse": (channels(centre_frequency=5.0), "centre_frequency of 5 Hz cannot be"),
    "channels: mm/us": (channels(sound_speed=1.54), "sound_speed of 1.54 m/s cannot be"),
    "recording: pixels in mm": (recording(spacing=(0.1, 0.3)), "spacing dz of 0.1 m cannot be"),
    "recording: MHz": (recording(centre_frequency=5.0), "centre_frequency of 5 Hz cannot be"),
}


@pytest.mark.parametrize("entry", IMPOSSIBLE)
def test_every_entry_asks_after_the_unit_of_what_cannot_be(entry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call, says = IMPOSSIBLE[entry]
    with pytest.raises(InputError, match=says) as error:
        call()
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


HONEST = {
    "a mouse's muscle": lambda: Sequence(np.zeros((4, 20, 20)), 1000, (5e-5, 1e-4)),
    "a thigh": lambda: Sequence(np.zeros((4, 200, 100)), 60, (1e-3, 1e-3)),
    "10 kHz": lambda: Sequence(STILL, 1e4, (1e-4, 1e-4)),
    "standardised, and no measurement": lambda: Sequence(
        np.random.default_rng(0).standard_normal((4, 8, 8)), 512, (1e-3, 1e-3), origin="translated"
    ),
    "the simplified model, in pulses": lambda: mv.simulate(seed=0, model="simplified", **{"grid.frames": 64}),
    "the defaults": lambda: mv.simulate(seed=0, **{"grid.frames": 64, "grid.rows": 16, "grid.columns": 16}),
    "channels": channels(),
    "a recording": recording(),
}


@pytest.mark.parametrize("entry", HONEST)
def test_honest_extremes_pass_without_a_word(entry):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        HONEST[entry]()


NEAR = {
    "a standardised array as a measurement": lambda: Sequence(STILL + 1, 512, (1e-3, 1e-3)),
    "mm/s as m/s": lambda: Sequence(3 * np.sin(np.arange(256.0)).reshape(4, 8, 8), 512, (1e-3, 1e-3)),
    "a frame rate of 2": lambda: Sequence(STILL, 2, (1e-3, 1e-3)),
    "a muscle of 30 cm": lambda: mv.SimulateSettings.model_validate({"grid": {"depth": 0.3}}),
}


@pytest.mark.parametrize("entry", NEAR)
def test_a_near_miss_is_warned_of(entry):
    with pytest.warns(UnitWarning, match="is unusual; is it in"):
        NEAR[entry]()


@pytest.mark.parametrize("name", PLAUSIBLE)
def test_the_table_is_in_order_and_holds_at_its_ends(name):
    row = PLAUSIBLE[name]
    assert row.least <= row.usual[0] < row.usual[1] <= row.most
    assert plausible(name, row.usual[0]) == plausible(name, row.usual[1]) == ""
    for end, beyond in ((row.least, 0.999 * row.least - 1e-30), (row.most, 1.001 * row.most)):
        if 0 < end < np.inf:
            assert plausible(name, end) == "" or "is unusual" in plausible(name, end)
            with pytest.raises(InputError, match="cannot be"):
                plausible(name, beyond)
