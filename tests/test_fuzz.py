"""A few broken files of every kind; `benchmarks/fuzz.py` reads many more, for hours."""

import importlib
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
COUNT, SEED = 10, 2026

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited by rlimit and measured in /proc")


@pytest.fixture(scope="module")
def fuzz():
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("fuzz")
    sys.path.remove(str(BENCHMARKS))


KINDS = [
    "MATLAB v5", "MATLAB v7.3", "HDF5", "UFF", "NPY", "NPZ", "DICOM", "video", "notes beside video", "recording",
    "sequence", "mapping", "labels", "BIDS events", "openhdemg", "MUPulses", "settings", "weights", "checkpoint", "run",
    "domain", "Delsys", "OTBioLab", "Ultrasonix",
]  # fmt: skip


def test_every_kind_is_tried(fuzz):
    assert sorted(fuzz.BASES) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore")
def test_broken_files_end_in_frames_or_in_one_line_of_ours(kind, fuzz):
    for needed in {"UFF": ["pyuff_ustb"], "DICOM": ["pydicom"], "video": ["cv2"]}.get(kind.split()[-1], []):
        pytest.importorskip(needed)
    result = {"files": 0, "read": 0, "refused": 0, "finding": 0, "slowest_s": 0.0, "findings": {}}
    fuzz.campaign(kind, result, COUNT, SEED)
    assert result["files"] == COUNT
    assert not result["findings"]
