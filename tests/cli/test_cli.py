"""The command line: every command on real input, every mistake one line and status 2."""

import re
import shlex
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import yaml

import myovivo as mv
from myovivo.cli import main
from myovivo.cli.catalogue import COMMANDS, command_class
from myovivo.cli.completion import options_for
from myovivo.cli.parse import parse
from myovivo.errors import FileError, InputError
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


def parsed(line):
    """The command of a line of a shell, without `myovivo`."""
    name, *words = shlex.split(line)
    return parse(name, command_class(name), words)


def test_numbers_in_every_notation_are_numbers():
    command = parsed("train paper-3d-noise --silico a --vivo b --out c --optimiser.learning_rate 2e-4")
    assert command.changes == {"optimiser.learning_rate": pytest.approx(2e-4)}


def test_values_are_what_was_typed(monkeypatch):
    for name in ("SEQUENCES", "SEED", "GRID", "OUT"):
        monkeypatch.setenv(name, "3")  # the environment says nothing
    line = "simulate '[a, {b' --grid.frames 64 --grid.frames=128 --firing.rate '[8, 9]' --noise.snr_db none"
    command = parsed(line)
    assert (command.out, command.sequences, command.seed) == (Path("[a, {b"), 16, 0)
    assert command.changes == {"grid.frames": 128, "firing.rate": [8, 9], "noise.snr_db": None}
    acquire = parsed("acquire a b --spacing 1e-3 2e-3 --subject 01 --variable '[1,2' --scan.sign -1")
    assert (acquire.spacing, acquire.subject, acquire.variable) == ((1e-3, 2e-3), "01", "[1,2")
    assert acquire.changes == {"scan.sign": -1}
    assert parsed("report o --title None --vivo none").title == "None"
    study = parsed("study small o --experiments.two_sample '[house]' --silico.settings '{grid.frames: 64}'")
    assert study.changes == {"experiments.two_sample": ["house"], "silico.settings": {"grid.frames": 64}}


def printed_help(capsys, *words):
    try:
        status = main(words)
    except SystemExit as left:
        status = left.code
    assert not status
    return capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_a_screen_and_teaches(command, capsys):
    printed = printed_help(capsys, command, "--help")
    lines = printed.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100
    kind = command_class(command)
    assert lines[0].startswith(f"usage: myovivo {command} ")
    assert "Example:" in lines
    assert f"all {'settings' if kind.SETTINGS else 'options'}: --help-all" in lines
    for name in kind.ESSENTIAL:
        assert f"--{name}" in printed


@pytest.mark.parametrize("command", COMMANDS)
def test_help_all_lists_every_option_once_with_text(command, capsys):
    lines = printed_help(capsys, command, "--help-all").splitlines()
    for option in options_for(command_class(command)):
        (place,) = [k for k, line in enumerate(lines) if re.match(rf"  (-h, )?{re.escape(option.name)}( |$)", line)]
        assert option.text
        assert option.text.split()[0] in " ".join(lines[place : place + 2])


def test_help_all_shows_defaults_and_groups(capsys):
    printed = printed_help(capsys, "simulate", "--help-all")
    assert "--firing.rate VALUE         firing rate, uniform, Hz [P] (default [8, 13])" in printed
    assert "\nfiring:\n" in printed
    assert "--sequences N               how many (default 16)" in printed


def test_the_overview_names_every_command_on_one_screen(capsys):
    lines = printed_help(capsys, "--help").splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100
    for command in COMMANDS:
        assert any(line.startswith(f"  {command} ") for line in lines)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_examples_of_the_help_parse(command):
    for example in command_class(command).EXAMPLES:
        words = shlex.split(example.replace("\\\n", " "), comments=True)
        if words[0] == "myovivo":
            assert parse(words[1], command_class(words[1]), words[2 : words.index(">") if ">" in words else None])


def test_options_and_settings_of_a_command_have_different_names():
    for command in COMMANDS:
        kind = command_class(command)
        if kind.SETTINGS:
            assert not kind.model_fields.keys() & kind.SETTINGS.model_fields.keys(), command


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            "simulate o --grid.frame 3",
            "error: there is no option --grid.frame; did you mean --grid.frames? see myovivo simulate --help",
        ),
        ("simulate o --frames 3", "did you mean --grid.frames?"),
        ("simulate o --sequ 3", "there is no option --sequ; did you mean --sequences?"),
        ("simulate o --xyzzy 3", "error: there is no option --xyzzy; see myovivo simulate --help"),
        ("train house --silico a --viv b --out c", "did you mean --vivo?"),
        ("simulat o", "error: there is no command simulat; did you mean simulate? see myovivo --help"),
        ("xyzzy", "error: there is no command xyzzy; see myovivo --help"),
        ("--hlep", "there is no option --hlep"),
        ("train hose --silico a --vivo b --out c", "paper-3d-noise, house; did you mean house?"),
        ("train smoke --silico a --vivo b --out c", "presets: paper-2d, paper-recycle, paper-3d"),
        ("study smal o", "did you mean small?"),
        ("simulate", "required: OUT"),
        ("train house --silico a --vivo b", "required: --out"),
        ("simulate o p", "unrecognized arguments: p"),
        ("simulate o --grid.frames", "expected one argument"),
        ("simulate o --grid.frames '[1'", "not readable"),
        ("acquire a b --spacing 1", "expected 2 arguments"),
        ("simulate o --sequences 0", "--sequences: Input should be greater than or equal to 1, got '0'"),
        ("phantom o --subjects 0", "--subjects: Input should be greater than or equal to 1"),
        ("phantom o --runs 0", "--runs: Input should be greater than or equal to 1"),
        ("simulate o --seed -1", "--seed: Input should be greater than or equal to 0"),
        ("simulate o --sequences 2 --workers 0", "workers must be"),
        ("translate a b --direction up", "'silico_to_vivo' or 'vivo_to_silico', got 'up'"),
        ("completion tcsh", "'bash', 'zsh' or 'fish'"),
        ("simulate /proc/x --sequences 1 --quiet", "error: /proc/x: cannot be written (No such file or directory)"),
        (f"simulate {'x' * 300} --sequences 1 --quiet", "File name too long"),
    ],
)
def test_what_is_mistyped_is_said_in_one_line(line, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fails(capsys, *shlex.split(line), says=says)


def test_mistyped_settings_in_python_and_yaml_are_named(tmp_path):
    (tmp_path / "s.yaml").write_text("gird:\n  frames: 64\n")
    cases = [
        (lambda: mv.simulate(frames=128), r"there is no setting 'frames'; did you mean grid\.frames\?"),
        (lambda: mv.simulate(tmp_path / "s.yaml"), r"there is no setting 'gird\.frames'; did you mean grid\.frames\?"),
        (lambda: mv.simulate(**{"firing.rates": 3}), r"did you mean firing\.rate\?"),
        (lambda: mv.acquire("a", rows=3), r"did you mean beamforming\.rows or output\.rows\?"),
        (lambda: mv.simulate_domain(tmp_path / "o", 0), "sequences must be at least 1, got 0"),
        (lambda: mv.phantom_domain(tmp_path / "o", 1, 0), "runs must be at least 1, got 0"),
    ]
    for call, says in cases:
        with pytest.raises(InputError, match=says):
            call()
    with pytest.raises(FileError, match=r"hose: is neither a preset nor a file; presets: .*; did you mean house\?"):
        mv.train("hose", tmp_path, tmp_path, tmp_path / "run")
    assert not (tmp_path / "o").exists()


def test_one_sequence_is_counted_as_one(tmp_path, capsys):
    assert main(["simulate", str(tmp_path / "one"), "--sequences", "1", *TINY]) == 0
    assert main(["simulate", str(tmp_path / "two"), "--sequences", "2", *TINY]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"1 sequence in {tmp_path / 'one'}",
        f"2 sequences in {tmp_path / 'two'}",
    ]


# --------------------------------------------------------------------------------- completion


def completed(script, folder, *words):
    """What bash proposes for the last of these words, with the script read."""
    lines = [
        f"source {shlex.quote(str(script))}",
        f"cd {shlex.quote(str(folder))}",
        f"COMP_WORDS=({' '.join(shlex.quote(word) for word in words)}) COMP_CWORD={len(words) - 1}",
        "_myovivo",
        'printf "%s\\n" "${COMPREPLY[@]}"',
    ]
    result = subprocess.run(["bash", "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    assert not result.stderr
    return result.stdout.split()


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_bash_completes_commands_options_settings_choices_and_files(tmp_path, capsys):
    assert main(["completion", "bash"]) == 0
    script = tmp_path / "script"
    script.write_text(capsys.readouterr().out)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "grid.yaml").touch()
    cases = {
        "tr": ["train", "translate", "train-identifier"],
        "simulate --grid.fra": ["--grid.frames", "--grid.frame_rate"],
        "simulate out --seq": ["--sequences"],
        "simulate out --territory.profile ": ["disc", "gauss", "exp-tail", "lorentz"],
        "train paper-3d": ["paper-3d", "paper-3d-stride1", "paper-3d-noise"],
        "train gr": ["grid.yaml"],
        "train house --device c": ["cpu", "cuda"],
        "simulate --config ": ["grid.yaml"],
        "simulate --quiet g": ["grid.yaml"],
        "simulate --grid.frames ": [],
        "completion ": ["bash", "zsh", "fish"],
    }
    for line, proposed in cases.items():
        assert completed(script, folder, "myovivo", *line.split(" ")) == proposed, line
    for command in COMMANDS:
        names = {option.name for option in options_for(command_class(command))}
        assert set(completed(script, folder, "myovivo", command, "--")) == names


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_are_told_every_option(shell, tmp_path, capsys):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for command in COMMANDS:
        start = script.index(f"    ({command})\n") if shell == "zsh" else 0
        for option in options_for(command_class(command)):
            if shell == "zsh":
                assert f"'{option.name}[" in script[start : script.index(" ;;", start)]
            else:
                assert f"'__fish_seen_subcommand_from {command}' -l '{option.name[2:]}' " in script
    if program := shutil.which(shell):
        (tmp_path / "script").write_text(script)
        subprocess.run([program, "-n", tmp_path / "script"], check=True)


# ------------------------------------------------------------------------------ what is loaded


def loaded(code):
    """The libraries that a piece of code leaves loaded."""
    program = f"import sys\n{code}\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(result.stdout.splitlines()[-1].split())


def test_a_command_loads_what_it_uses(tmp_path):
    main_of = "from myovivo.cli import main"
    assert not loaded(f"{main_of}\nmain(['--help'])") & {"pydantic", "numpy", "yaml", "rich", "joblib"}
    helped = f"{main_of}\ntry: main(['simulate', '--help'])\nexcept SystemExit: pass"
    assert not loaded(helped) & {"numpy", "h5py", "rich", "joblib", "scipy", "torch"}
    words = ["simulate", str(tmp_path / "o"), "--sequences", "1", *TINY]
    simulated = loaded(f"{main_of}\nmain({words})")
    assert {"numpy", "h5py"} <= simulated
    assert not simulated & {"rich", "joblib", "scipy", "torch", "matplotlib"}


@pytest.mark.parametrize("module", ["pydantic", "pydantic_settings", "numpy"])
def test_an_interruption_while_loading_is_one_line(module, tmp_path):
    (tmp_path / f"{module}.py").write_text("raise KeyboardInterrupt\n")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from myovivo.cli import main; sys.exit(main())"
    words = ["simulate", str(tmp_path / "o"), "--sequences", "1", *TINY]
    result = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True)
    assert result.returncode == 130
    assert result.stderr == "interrupted; run the same command again to go on\n"


def test_an_interruption_while_a_library_in_c_is_loaded_is_one_line(tmp_path):
    (tmp_path / "numpy.py").write_text("raise ImportError('initialization failed') from KeyboardInterrupt()\n")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from myovivo.cli import main; sys.exit(main())"
    words = ["simulate", str(tmp_path / "o"), "--sequences", "1", *TINY]
    result = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (130, "interrupted; run the same command again to go on\n")


def test_an_interruption_within_a_callback_is_not_lost(tmp_path):
    program = """
import sys, time, weakref
import myovivo.cli.parse
from myovivo.cli import main

class Thing: ...

def interrupt(reference):
    raise KeyboardInterrupt

def parse(*words):  # in its midst an object goes, whose callback is interrupted
    thing = Thing()
    reference = weakref.ref(thing, interrupt)
    del thing
    time.sleep(10)
    print("went on")

myovivo.cli.parse.parse = parse
sys.exit(main(["simulate", "o"]))
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (130, "")
    assert result.stderr == "interrupted; run the same command again to go on\n"


def test_a_reader_that_has_enough_is_no_error():
    program = "import sys; from myovivo.cli import main; sys.exit(main(['completion', 'fish']))"
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert not process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0


def test_a_warning_is_one_line(capsys, monkeypatch):
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    assert main(["--version"]) == 0  # from here on warnings are the command line's
    warnings.showwarning("of two\nlines", UserWarning, "file", 1)
    assert capsys.readouterr().err == "warning: of two lines\n"


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
        (["simulate", out, "--grid.frame", "3"], "there is no option --grid.frame"),
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


def test_inspect_leaves_with_status_1_where_something_is_missing_and_drafts_a_mapping(tmp_path, capsys):
    scipy_io = pytest.importorskip("scipy.io")
    scan = tmp_path / "scan.mat"
    scipy_io.savemat(scan, {"TVI": np.zeros((60, 16, 12), np.float32), "fs": 500.0})
    with pytest.raises(SystemExit) as left:
        main(["inspect", str(scan), "--write-mapping", str(tmp_path / "scan.yaml")])
    assert left.value.code == 1
    assert "frame_rate" in capsys.readouterr().out
    assert "fs" in (tmp_path / "scan.yaml").read_text()


def test_a_folder_of_which_one_file_fails_shows_the_others_as_if_it_had_not(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    rng = np.random.default_rng(0)
    for name in ("a", "c"):
        np.save(tmp_path / "in" / f"{name}.npy", 1e-3 * rng.standard_normal((200, 16, 16)).astype(np.float32))
    (tmp_path / "in" / "b.npy").write_bytes(b"\x93NUMPY\x01\x00 cut short")
    words = ["acquire", str(tmp_path / "in"), str(tmp_path / "out"), "--frame-rate", "500", "--spacing", "1e-3", "1e-3"]
    assert main([*words, "--output.rows", "16", "--output.columns", "16", "--workers", "1"]) == 2
    said = capsys.readouterr()
    assert "2 sequences in" in said.out
    assert "scan.frame_rate" in said.out or "frame_rate" in said.out
    assert "b.npy" in said.err.strip().splitlines()[-1]


ENDED = """
import os, signal, sys, threading, time
import myovivo.cli.parse
from myovivo.cli import main

def parse(*words):
    for _ in range(2):  # threads that Python would wait for
        threading.Thread(target=time.sleep, args=(60,)).start()
    os.kill(os.getpid(), getattr(signal, {name!r}))
    time.sleep(10)

myovivo.cli.parse.parse = parse
sys.argv = ["myovivo", "simulate", "o"]
sys.exit(main())
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interruption_or_termination_is_one_line_and_waits_for_no_thread(name):
    result = subprocess.run([sys.executable, "-c", ENDED.format(name=name)], capture_output=True, text=True, timeout=50)
    assert (result.returncode, result.stdout) == (130, "")
    assert result.stderr == "interrupted; run the same command again to go on\n"


def test_too_little_memory_is_one_line(monkeypatch, capsys):
    def parse(*words):
        raise MemoryError

    monkeypatch.setattr("myovivo.cli.parse.parse", parse)
    assert main(["simulate", "o"]) == 2
    assert "error: there is not enough memory for that; take fewer workers" in capsys.readouterr().err
