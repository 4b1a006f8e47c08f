"""The command line: every command on real input, every mistake one line and status 2."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
import yaml

from myovivo.cli import build_parser, main
from myovivo.sequences.header import sequence_files
from myovivo.sequences.sequence import Sequence

TINY = ["--grid.frames", "64", "--grid.rows", "16", "--grid.columns", "16", "--workers", "1", "--quiet"]
NETWORK = [
    *("--generator.features", "4", "--generator.blocks", "1", "--discriminator.features", "4"),
    *("--discriminator.layers", "1", "--data.clip", "[16, 16, 16]", "--optimiser.steps", "2", "--quiet"),
]


def fails(capsys, *arguments, says):
    """The command leaves with status 2 and one line that says so."""
    try:
        status = main([str(argument) for argument in arguments])
    except SystemExit as left:
        status = left.code
    error = capsys.readouterr().err.strip()
    assert status == 2, error
    assert says in error, error
    assert len([line for line in error.splitlines() if line.startswith("error:")]) == 1
    assert "Traceback" not in error
    assert len(error.splitlines()) == 1, error


@pytest.fixture(scope="module")
def domains(tmp_path_factory):
    folder = tmp_path_factory.mktemp("domains")
    assert main(["simulate", str(folder / "silico"), "--sequences", "4", *TINY]) == 0
    assert (
        main(["simulate", str(folder / "vivo"), "--sequences", "4", "--seed", "9", "--noise.snr_db", "3", *TINY]) == 0
    )
    return folder


def test_the_commands_go_the_whole_way(domains, tmp_path, capsys):
    silico, vivo, run = domains / "silico", domains / "vivo", tmp_path / "run"
    assert (
        main(["train", "paper-3d-noise", "--silico", str(silico), "--vivo", str(vivo), "--out", str(run), *NETWORK])
        == 0
    )
    assert main(["translate", str(run), str(tmp_path / "translated"), "--source", str(silico), "--quiet"]) == 0
    translated = sequence_files(tmp_path / "translated")
    assert [file.name for file in translated] == [file.name for file in sequence_files(silico)]
    domain = ["--translated", str(tmp_path / "translated"), "--vivo", str(vivo), "--silico", str(silico), "--quiet"]
    capsys.readouterr()
    assert main(["evaluate", *domain, "--csv", str(tmp_path / "table.csv")]) == 0
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("none", "vivo-vivo", "DBhat", "xCorr"))
    assert "vivo-vivo" in (tmp_path / "table.csv").read_text()
    assert main(["report", str(tmp_path / "report"), *domain, "--run", str(run)]) == 0
    assert (tmp_path / "report" / "report.html").stat().st_size > 50_000
    assert (tmp_path / "report" / "metrics.json").exists()


def test_a_run_brings_the_sequences_it_held_out(domains, tmp_path, capsys):
    silico, vivo, run = domains / "silico", domains / "vivo", tmp_path / "run"
    command = [
        "train",
        "paper-3d-noise",
        "--silico",
        silico,
        "--vivo",
        vivo,
        "--out",
        run,
        *NETWORK,
        "--data.held_out",
        "0.5",
    ]
    assert main([str(part) for part in command]) == 0
    assert main(["translate", str(run), str(tmp_path / "translated"), "--quiet"]) == 0
    assert len(sequence_files(tmp_path / "translated")) == 2
    capsys.readouterr()
    domain = ["--translated", str(tmp_path / "translated"), "--quiet"]
    assert main(["evaluate", *domain, "--run", str(run)]) == 0
    held_out = capsys.readouterr().out
    assert main(["evaluate", *domain, "--vivo", str(vivo), "--silico", str(silico)]) == 0
    assert capsys.readouterr().out.splitlines()[2:5] != held_out.splitlines()[2:5]  # all four are other pairs than two
    assert main(["report", str(tmp_path / "report"), *domain, "--run", str(run)]) == 0


def test_phantom_and_acquire_from_its_iq_give_the_same(tmp_path):
    small = [*TINY, "--imaging.rows", "64", "--imaging.columns", "16", "--subjects", "1", "--runs", "1"]
    assert main(["phantom", str(tmp_path / "tvi"), *small]) == 0
    assert main(["phantom", str(tmp_path / "iq"), "--iq", *small]) == 0
    output = ["--output.rows", "16", "--output.columns", "16", "--output.frames", "64", "--workers", "1", "--quiet"]
    assert main(["acquire", str(tmp_path / "iq"), str(tmp_path / "again"), *output]) == 0
    (a,), (b,) = sequence_files(tmp_path / "tvi"), sequence_files(tmp_path / "again")
    assert Sequence.load(a).velocity.tobytes() == Sequence.load(b).velocity.tobytes()
    assert a.name == b.name


def test_settings_can_be_printed_saved_and_given_back(tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        main(["simulate", "unused", "--print-settings", "--firing.rate", "[9, 10]"])
    assert left.value.code == 0
    printed = capsys.readouterr().out
    assert yaml.safe_load(printed)["firing"]["rate"] == [9.0, 10.0]
    (tmp_path / "s.yaml").write_text(printed)
    assert (
        main(["simulate", str(tmp_path / "out"), "--config", str(tmp_path / "s.yaml"), "--sequences", "1", *TINY]) == 0
    )
    sequence = Sequence.load(sequence_files(tmp_path / "out")[0])
    assert sequence.provenance["settings"]["firing"]["rate"] == [9.0, 10.0]
    assert sequence.shape == (64, 16, 16)  # options win over the file


def test_numbers_in_every_notation_are_numbers():
    options = build_parser().parse_args(
        ["train", "paper-3d-noise", "--silico", "a", "--vivo", "b", "--out", "c", "--optimiser.learning_rate", "2e-4"]
    )
    assert vars(options)["setting:optimiser.learning_rate"] == pytest.approx(2e-4)


def test_help_teaches(capsys):
    for command in ("simulate", "phantom", "acquire", "train", "translate", "evaluate", "identify", "report", "demo"):
        with pytest.raises(SystemExit) as left:
            main([command, "--help"])
        assert left.value.code == 0
        printed = capsys.readouterr().out
        assert "Example:" in printed
        assert f"myovivo {command}" in printed
    with pytest.raises(SystemExit):
        main(["simulate", "--help"])
    printed = capsys.readouterr().out
    assert "--firing.rate" in printed
    assert "Hz [P]" in printed
    assert "(default [8, 13])" in printed


def test_mistakes_are_one_line_with_status_2(domains, tmp_path, capsys):
    silico, vivo = domains / "silico", domains / "vivo"
    (tmp_path / "cut").mkdir()
    for file in sequence_files(silico):
        shutil.copy(file, tmp_path / "cut")
    broken = tmp_path / "cut" / sequence_files(silico)[0].name
    broken.write_bytes(broken.read_bytes()[:2000])
    np.save(tmp_path / "nan.npy", np.full((200, 4, 4), np.nan))
    np.save(tmp_path / "slow.npy", np.zeros((200, 4, 4)))
    (tmp_path / "no.mp4").write_bytes(b"nothing")
    out = tmp_path / "out"
    train = ["train", "paper-3d-noise", "--silico", silico, "--out", out, *NETWORK]
    cases = [
        (["simulate", silico, "--seed", "5", *TINY], "already holds another run (seed is 0 there, 5 here)"),
        (["simulate", out, "--grid.frame", "3"], "unrecognized arguments: --grid.frame"),
        (["simulate", out, "--grid.frames", "many"], "grid.frames"),
        (["simulate", out, "--firing.rate", "[9, 8]"], "swap the two"),
        (["simulate", out, "--config", tmp_path / "gone.yaml"], "gone.yaml"),
        (["simulate", out, "--firing.measured", tmp_path / "gone.mat", *TINY], "gone.mat: does not exist"),
        (["acquire", tmp_path / "no.mp4", out, "--quiet"], "no.mp4: is of none of the formats"),
        (
            ["acquire", tmp_path / "nan.npy", out, "--frame-rate", "2000", "--spacing", "1e-3", "1e-3", "--quiet"],
            "nan.npy: velocity must be finite",
        ),
        (
            ["acquire", tmp_path / "slow.npy", out, "--quiet", "--frame-rate", "61", "--spacing", "1e-3", "1e-3"],
            "try [5, 24]",
        ),
        (["acquire", tmp_path / "gone", out, "--quiet"], "does not exist"),
        ([*train, "--vivo", tmp_path / "cut"], f"{broken.name}: is not a readable HDF5 file"),
        ([*train, "--vivo", tmp_path / "gone"], "gone: does not exist"),
        ([*train, "--vivo", vivo, "--data.clip", "[15, 16, 16]", "--generator.temporal_stride", "2"], "clip"),
        (
            ["train", "papers", "--silico", silico, "--vivo", vivo, "--out", out],
            "papers: is neither a preset nor a file",
        ),
        (["translate", tmp_path / "gone", out], "gone"),
        (["evaluate", "--vivo", sequence_files(vivo)[0], "--silico", silico, "--quiet"], "two"),
        (["report", out, "--vivo", vivo], "--silico and --translated"),
        (["evaluate", "--translated", silico, "--quiet"], "--run to take those it held out"),
        ([], "required"),
    ]
    for arguments, says in cases:
        fails(capsys, *arguments, says=says)
    assert not list(out.glob("*.h5"))


def test_a_run_folder_of_another_preset_is_refused_and_untouched(domains, tmp_path, capsys):
    silico, vivo, run = domains / "silico", domains / "vivo", tmp_path / "run"
    command = ["--silico", silico, "--vivo", vivo, "--out", run, *NETWORK]
    assert main([str(part) for part in ("train", "paper-3d-noise", *command)]) == 0
    before = {file.name: file.read_bytes() for file in run.iterdir() if file.is_file()}
    capsys.readouterr()
    fails(capsys, "train", "paper-3d", *command, says="run")
    assert {file.name: file.read_bytes() for file in run.iterdir() if file.is_file()} == before


def test_the_installed_command_answers():
    found = subprocess.run(
        [sys.executable, "-m", "myovivo.cli", "--version"], capture_output=True, text=True, check=True
    )
    assert found.stdout.startswith("myovivo 0")
