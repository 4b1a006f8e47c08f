"""Results for programs: valid JSON on stdout, and nothing else there."""

import json

import numpy as np
import pytest
from scipy.io import savemat

import myovivo as mv
from myovivo.cli import main


def strict(text: str):
    def refuse(name: str):
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("silico")
    small = {"grid.frames": 512, "grid.rows": 32, "grid.columns": 32}
    for number in range(4):
        mv.simulate(seed=number, **small).replace(subject=f"s{number}").save(folder / f"sub-s{number}_tvi.h5")
    return folder


def test_what_is_missing_in_a_file(tmp_path, capsys):
    savemat(tmp_path / "scan.mat", {"TVI": np.zeros((3, 4, 5)), "fs": 512.0})
    with pytest.raises(SystemExit) as ended:
        main(["inspect", str(tmp_path / "scan.mat"), "--json"])
    assert ended.value.code == 1
    said = strict(capsys.readouterr().out)
    assert said["arrays"] == {"TVI": [3, 4, 5]}
    assert said["values"] == {"fs": 512.0}
    assert said["complete"] is False


def test_units_of_each_sequence_with_null_for_what_is_no_number(folder, tmp_path, capsys):
    assert main(["identify", str(folder), str(tmp_path), "--method", "wavelet", "--json", "--quiet"]) == 0
    said = strict(capsys.readouterr().out)
    assert [found["sequence"] for found in said] == [f"sub-s{number}_tvi" for number in range(4)]
    assert all(len(found["quality"]["firing_rate"]) == found["units"] for found in said)
    assert said[0]["quality"]["repeatability"] == [None] * said[0]["units"]  # one second is no two epochs
    assert 0 <= said[0]["agreement"]["matches"][0]["rate"] <= 1


def test_the_table_is_the_one_that_is_printed(folder, capsys):
    words = ["evaluate", "--translated", str(folder), "--vivo", str(folder), "--silico", str(folder), "--quiet"]
    assert main([*words, "--json"]) == 0
    rows = {row["name"]: row["columns"] for row in strict(capsys.readouterr().out)["rows"]}
    assert rows["translated"]["xCorr"]["mean"] == pytest.approx(1.0, abs=1e-6)
    assert rows["none"]["DBhat"]["mean"] == rows["translated"]["DBhat"]["mean"]
    assert rows["translated"]["DBhat"]["verdict"]["decision"] == "cannot be told"
