"""Spike trains of every program that decomposes EMG: known times are read back, what cannot be is one clear line.

All files here are synthetic, written after public documentation of the programs.
"""

import gzip
import itertools
import json
import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

import myovivo as mv
from myovivo.errors import FileError, RecordingWarning, UnitWarning
from myovivo.runtime import texts
from myovivo.simulation.spike_trains.reading import BY_ENDING, read_decomposition, read_spike_trains

RATE = 2048.0
UNITS = [np.arange(1, 60) * 200, np.arange(1, 40) * 260 + 17, np.arange(1, 30) * 333 + 5]  # samples, from 1
TIMES = [(unit - 1) / RATE for unit in UNITS]


def cell(*items, row=True):
    held = np.empty((1, len(items)) if row else (len(items), 1), object)
    for place, item in enumerate(items):
        held[(0, place) if row else (place, 0)] = item
    return held


def write73(path, variables):
    """MATLAB v7.3: cells as references, structs as groups, axes reversed, with the attributes that MATLAB writes."""

    numbers = itertools.count()

    def put(group, name, value):
        if isinstance(value, dict):
            inner = group.create_group(name)
            inner.attrs["MATLAB_class"] = np.bytes_("struct")
            for key, part in value.items():
                put(inner, key, part)
        elif isinstance(value, np.ndarray) and value.dtype == object:
            references = np.empty(value.T.shape, h5py.ref_dtype)
            for place, item in np.ndenumerate(value.T):
                inner = f"{next(numbers):x}"
                put(group.file["#refs#"], inner, item)
                references[place] = group.file[f"#refs#/{inner}"].ref
            group.create_dataset(name, data=references).attrs["MATLAB_class"] = np.bytes_("cell")
        elif isinstance(value, str):
            data = np.array([[ord(letter)] for letter in value], np.uint16)
            group.create_dataset(name, data=data).attrs["MATLAB_class"] = np.bytes_("char")
        elif np.size(value) == 0:
            dataset = group.create_dataset(name, data=np.array([0, 0], np.uint64))
            dataset.attrs["MATLAB_class"], dataset.attrs["MATLAB_empty"] = np.bytes_("double"), np.uint8(1)
        else:
            dataset = group.create_dataset(name, data=np.atleast_2d(np.asarray(value, float)).T)
            dataset.attrs["MATLAB_class"] = np.bytes_("double")

    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_group("#refs#")
        for name, value in variables.items():
            put(file, name, value)
    head = b"MATLAB 7.3 MAT-file".ljust(124, b" ") + b"\x00\x02IM"
    path.write_bytes(head.ljust(512, b"\x00") + path.read_bytes()[512:])


WRITERS = {"v5": scipy.io.savemat, "v7.3": write73}
rows = [unit[None].astype(float) for unit in UNITS]


def binary(*trains, samples=12000):
    data = np.zeros((samples, len(trains)))
    for column, train in enumerate(trains):
        data[train - 1, column] = 1
    return data


WORDS = [f"VL - Decomposition of IN1 MU {k} (0)[a.u.]" for k in (1, 2, 3)]

MATLAB = {
    "DEMUSE": {"MUPulses": cell(*rows), "fsamp": RATE, "SIG": cell(np.zeros((1, 9)))},
    "a padded matrix": {
        "MUPulses": np.array(
            [np.pad(unit.astype(float), (0, 60 - len(unit)), constant_values=np.nan) for unit in UNITS]
        ),
        "fsamp": RATE,
    },
    "a matrix padded with 0": {
        "MUPulses": np.array([np.pad(unit.astype(float), (0, 60 - len(unit))) for unit in UNITS]),
        "fsamp": RATE,
    },
    "MUedit, decomposed": {"signal": {"fsamp": RATE, "Dischargetimes": cell(*rows, np.zeros((0, 0)))}},
    "MUedit, edited": {
        "signal": {"fsamp": RATE, "Dischargetimes": cell(rows[0] + 1000)},
        "edition": {"Dischargetimes": cell(*rows)},
    },
    "MUedit, without duplicates": {
        "signal": {"fsamp": RATE, "Dischargetimes": cell(rows[0] + 1000)},
        "edition": {"Dischargetimes": cell(rows[0] + 500), "Distimeclean": cell(cell(*rows[:2]), cell(rows[2]))},
    },
    "OTBioLab+": {
        "Data": cell(np.c_[np.ones(12000), binary(*UNITS), np.ones(12000)]),
        "Description": cell("IN1 EMG", *WORDS, "Source for Decomposition of IN1 MU 1", row=False),
        "SamplingFrequency": RATE,
    },
}


@pytest.mark.parametrize("version", WRITERS)
@pytest.mark.parametrize("program", MATLAB)
def test_matlab_files_give_the_times_written_into_them(tmp_path, program, version):
    WRITERS[version](tmp_path / "a.mat", MATLAB[program])
    read = read_spike_trains(tmp_path / "a.mat")
    assert len(read) == len(TIMES)
    for times, true in zip(read, TIMES, strict=True):
        assert np.allclose(times, true, atol=1e-9)


@pytest.mark.parametrize("version", WRITERS)
@pytest.mark.parametrize("units", [1, 2])
@pytest.mark.parametrize("firings", [1, 2])
def test_few_units_of_few_firings_are_read_as_many_are(tmp_path, version, units, firings):
    pulses = [np.array([[1.0, 2049.0]])[:, :firings] + 5 * unit for unit in range(units)]
    WRITERS[version](tmp_path / "a.mat", {"MUPulses": cell(*pulses), "fsamp": RATE})
    data = binary(*(unit.ravel().astype(int) for unit in pulses), samples=5000)
    otb = {"Data": cell(data), "Description": cell(*WORDS[:units], row=False), "SamplingFrequency": RATE}
    WRITERS[version](tmp_path / "b.mat", otb)
    for name in ("a.mat", "b.mat"):
        read = read_spike_trains(tmp_path / name)
        assert [len(times) for times in read] == [firings] * units
        assert [times[0] for times in read] == pytest.approx([5 * unit / RATE for unit in range(units)])


def recordings(*, shared):
    blocks = cell(binary(*UNITS[:2]), binary(*UNITS[1:], samples=11000))
    words = cell(*WORDS[:2], row=False) if shared else cell(*WORDS[:2], *WORDS[:2], row=False)
    return {"Data": blocks, "Description": words, "SamplingFrequency": RATE}


@pytest.mark.parametrize("version", WRITERS)
@pytest.mark.parametrize("shared", [True, False])
def test_several_recordings_of_an_export_are_told_apart(tmp_path, version, shared):
    path = tmp_path / "a.mat"
    WRITERS[version](path, recordings(shared=shared))
    with pytest.raises(FileError, match=r"a\.mat: holds 2 recordings \(2, 2 units\); say which, as recording=1"):
        read_spike_trains(path)
    for number, true in ((1, TIMES[:2]), (2, TIMES[1:])):
        read = read_spike_trains(path, recording=number)
        assert all(np.allclose(times, other) for times, other in zip(read, true, strict=True))
    with pytest.raises(FileError, match="recordings 1 to 2, got recording=3"):
        read_spike_trains(path, recording=3)
    # What is drawn for a sequence is of one recording: never units of two together.
    sequence = mv.simulate(seed=0, **{"firing.measured": path, "grid.frames": 256, "firing.units": (9, 9)})
    assert len(sequence.labels) == 2


def openhdemg_text(units, rate=RATE):
    entries = {"SOURCE": "DEMUSE", "FSAMP": json.dumps(rate), "MUPULSES": json.dumps(units)}
    return json.dumps(entries)


@pytest.mark.parametrize("ending", ["json", "json.gz"])
@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_openhdemg_counts_from_zero_plain_or_gzipped(tmp_path, zipped, ending, mark):
    text = mark + openhdemg_text([(unit - 1).tolist() for unit in UNITS]).encode()
    path = tmp_path / f"a.{ending}"
    path.write_bytes(gzip.compress(text) if zipped else text)
    assert all(np.allclose(a, b) for a, b in zip(read_spike_trains(path), TIMES, strict=True))


@pytest.mark.parametrize("units", [[[0, 2048, None]], [0, 2048], [[0, 2048], None, []], [[0, float("nan"), 2048]]])
def test_missing_firings_and_a_single_unit_of_openhdemg_are_heeded(tmp_path, units):
    (tmp_path / "a.json").write_text(openhdemg_text(units))
    assert [times.tolist() for times in read_spike_trains(tmp_path / "a.json")] == [[0.0, 1.0]]


def test_a_gzip_that_unfolds_without_end_is_not_unfolded(tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "allowed", lambda stored: 1 << 20)
    (tmp_path / "a.json").write_bytes(gzip.compress(b" " * (3 << 20)))
    with pytest.raises(FileError, match=r"a\.json: .*at most 1 MB are read of what it unfolds to"):
        read_spike_trains(tmp_path / "a.json")


def delsys_text(columns, titles=None):
    titles = titles or [f"MU {k + 1}" for k in range(len(columns))]
    longest = max(map(len, columns))
    lines = ["\t".join(titles)]
    lines += ["\t".join(f"{c[k]:.4f}" if k < len(c) else "" for c in columns) for k in range(longest)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_of_firings_of_delsys_is_read_by_its_columns(tmp_path, coding):
    (tmp_path / "trial_Firings.txt").write_bytes(delsys_text(TIMES).encode(coding))
    read = read_spike_trains(tmp_path / "trial_Firings.txt")
    assert all(np.allclose(a, b, atol=1e-4) for a, b in zip(read, TIMES, strict=True))


MISSING = ["nan", "NaN", "n/a", "N/A", "", "inf", "-inf", "null", " n/a "]


@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize("mark", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_rows_of_bids_without_onset_or_unit_are_left_out(tmp_path, missing, mark, newline):
    rows = ["onset\tduration\tmotor_unit", f"{missing}\t0\t1", "0.2\t0\t1", f"0.4\t5\t{missing}", "1.5\t0\t1"]
    (tmp_path / "a_events.tsv").write_bytes(newline.join(rows).encode(mark))
    assert [times.tolist() for times in read_spike_trains(tmp_path / "a_events.tsv")] == [[0.2, 1.5]]


def test_a_file_with_a_missing_onset_drives_a_simulation(tmp_path):
    rows = "".join(f"{0.1 * k:.2f}\t0\t1\n" for k in range(1, 200))
    (tmp_path / "a.tsv").write_text(f"onset\tduration\tmotor_unit\n{rows}nan\t0\t1\n")
    sequence = mv.simulate(seed=0, **{"firing.measured": tmp_path / "a.tsv", "grid.frames": 256})
    assert np.allclose(np.diff(sequence.labels.spike_times[0]), 0.1)


def tsv(text):
    return lambda folder: (folder / "a.tsv").write_text(text)


def mat(**variables):
    return lambda folder: scipy.io.savemat(folder / "a.mat", variables)


def text_json(text):
    return lambda folder: (folder / "a.json").write_text(text)


def text_txt(text):
    return lambda folder: (folder / "a.txt").write_text(text)


BROKEN_GZIP = gzip.compress(bytes(range(256)) * 9)[:-40] + b"\xff" * 32

HEAD = "onset\tduration\tmotor_unit\n"
BAD = {
    "a rate of 0": (mat(MUPulses=cell(*rows), fsamp=0.0), "fsamp must be positive"),
    "a rate of NaN": (mat(MUPulses=cell(*rows), fsamp=np.nan), "fsamp must be one number"),
    "no rate at all": (mat(MUPulses=cell(*rows), fsamp=np.zeros((0, 0))), "fsamp must be one number"),
    "a rate that is text": (mat(MUPulses=cell(*rows), fsamp="fast"), "fsamp must be one number"),
    "a binary matrix": (mat(MUPulses=np.eye(2, 4000, dtype=bool), fsamp=RATE), "a train of 0 and 1|that ascend"),
    "binary trains": (mat(MUPulses=cell(np.eye(1, 4000)), fsamp=RATE), "a train of 0 and 1"),
    "times for samples": (
        mat(MUPulses=cell(np.array([[0.5, 1.25]])), fsamp=RATE),
        "whole sample numbers from 1, got 0.5",
    ),
    "samples from 0": (mat(MUPulses=cell(np.array([[0.0, 100.0]])), fsamp=RATE), "whole sample numbers from 1, got 0"),
    "negative samples": (mat(MUPulses=cell(np.array([[-4.0, 100.0]])), fsamp=RATE), "from 1, got -4"),
    "text for samples": (mat(MUPulses=cell("abc"), fsamp=RATE), "MUPulses must be numbers"),
    "a matrix in no order": (mat(MUPulses=np.array([[5, 3, 4], [1, 9, 2]]), fsamp=RATE), "that ascend"),
    "MUedit without a rate": (mat(signal={"Dischargetimes": cell(*rows)}), "needs signal.fsamp"),
    "too few descriptions": (
        mat(Data=cell(binary(*UNITS)), Description=cell(*WORDS[:2], row=False), SamplingFrequency=RATE),
        "names 2 columns but Data is",
    ),
    "rates of other recordings": (
        mat(Data=cell(binary(*UNITS)), Description=cell(*WORDS, row=False), SamplingFrequency=[1.0, 2.0, 3.0]),
        "SamplingFrequency must be one number",
    ),
    "no decomposition": (
        mat(Data=cell(binary(*UNITS)), Description=cell("a", "b", "c", row=False), SamplingFrequency=RATE),
        "holds no spike trains",
    ),
    "another mat": (mat(emg=np.zeros((4, 4))), "needs MUPulses.*it holds emg"),
    "an onset that is text": (tsv(f"{HEAD}soon\t0\t1\n"), "onset in line 2 must be a number in s, got 'soon'"),
    "a decimal comma": (tsv(f"{HEAD}0,5\t0\t1\n"), "got '0,5'; write it with a point"),
    "a short row": (tsv(f"{HEAD}\n0.5\n"), "holds no spike trains"),
    "onsets in ms": (
        tsv(HEAD + "".join(f"{100 * k}\t0\t1\n" for k in range(9))),
        "firing rate of 0.01 Hz cannot be; are the times in s",
    ),
    "an empty table": (tsv(""), "needs the columns onset"),
    "a null rate": (text_json(openhdemg_text([[1, 2]], None)), "FSAMP must be one number"),
    "a text in JSON": (text_json(openhdemg_text([["a"]])), "MUPULSES must be numbers"),
    "nested too deep": (text_json("[" * 100000), "cannot be read as spike trains"),
    "no JSON": (text_json("{"), "cannot be read as spike trains"),
    "a broken gzip": (lambda folder: (folder / "a.json").write_bytes(BROKEN_GZIP), "cannot be read as spike trains"),
    "a list": (text_json("[1]"), "there is no FSAMP"),
    "broken inside": (text_json(json.dumps({"FSAMP": "2048", "MUPULSES": "[["})), "MUPULSES is no JSON"),
    "muaps for firings": (text_txt(delsys_text([[3.0, 1.0, 2.0]])), "must ascend down each column"),
    "a table without titles": (text_txt("1.0\t2.0\n3.0\t4.0\n"), "needs a line of titles"),
    "cells without a title": (text_txt("MU 1\n1.0\t2.0\n"), "line 2 has 2 cells under 1 titles"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", BAD)
def test_trains_that_cannot_be_are_one_clear_line(tmp_path, case):
    write, says = BAD[case]
    write(tmp_path)
    (path,) = tmp_path.iterdir()
    with pytest.raises(FileError, match=says) as error:
        read_spike_trains(path)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(str(path))


def test_a_sampling_rate_that_is_assumed_is_said(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"MUPulses": cell(*rows)})
    with pytest.warns(RecordingWarning, match="2048 samples per second were assumed"):
        read_spike_trains(tmp_path / "a.mat")


def test_rates_that_units_hardly_have_are_warned_of(tmp_path):
    (tmp_path / "a.tsv").write_text(HEAD + "".join(f"{k / 120:.5f}\t0\t1\n" for k in range(99)))
    with pytest.warns(UnitWarning, match="firing rate of 120 Hz is unusual; are the times in s"):
        read_spike_trains(tmp_path / "a.tsv")


def test_units_that_never_fire_steadily_are_told(tmp_path):
    (tmp_path / "a.tsv").write_text(HEAD + "".join(f"{t:.3f}\t0\t1\n" for t in np.arange(0, 20, 0.5)))
    with pytest.raises(FileError, match=r"a\.tsv: no unit fires steadily, at least 4 times a second, for 1\.50 s"):
        mv.simulate(seed=0, **{"firing.measured": tmp_path / "a.tsv", "grid.frames": 256})


FIRINGS = Path(__file__).parents[3] / "shared" / "data" / "motor_unit_firings"


@pytest.mark.skipif(not FIRINGS.is_dir(), reason="the measured spike trains are not at hand")
@pytest.mark.parametrize("path", sorted(FIRINGS.glob("*.mat")), ids=lambda path: path.stem)
def test_measured_files_are_read_without_a_warning(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (units,) = read_decomposition(path).recordings
    rates = [1 / np.median(np.diff(times)) for times in units]
    assert 5 <= len(units) <= 90
    assert 5 < np.median(rates) < 25


def test_every_reader_is_tried_above():
    assert set(BY_ENDING) == {".mat", ".json", ".tsv", ".txt"}


def test_a_sampling_rate_of_ragged_rows_is_one_line(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"FSAMP": "[2048, [1, 2]]", "MUPULSES": "[[1, 200]]"}))
    with pytest.raises(FileError, match=r"FSAMP must be one number, .* got \[2048, \[1, 2\]\]"):
        read_spike_trains(tmp_path / "a.json")
