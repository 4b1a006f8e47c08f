"""Files that are whole or absent: exclusive, flushed, cleared away; a full disk is one line."""

import os
import subprocess
import sys

import h5py
import numpy as np
import pytest

import myovivo as mv
from myovivo.errors import FileError
from myovivo.runtime.files import clear_parts, whole_file, write_text
from myovivo.runtime.hdf5 import created
from myovivo.runtime.recipe import claimed


def test_a_link_prepared_under_a_temporary_name_is_not_followed(tmp_path, monkeypatch):
    victim = tmp_path / "victim.txt"
    victim.write_text("mine")
    monkeypatch.setattr("secrets.token_hex", lambda count: "foretold")
    (tmp_path / f".a.txt.part-{os.getpid()}-foretold").symlink_to(victim)
    with pytest.raises(FileError, match=r"a\.txt: cannot be written"):
        write_text(tmp_path / "a.txt", "yours")
    assert victim.read_text() == "mine"


def test_temporary_names_cannot_be_foretold(tmp_path):
    names = set()
    for _ in range(3):
        with whole_file(tmp_path / "a.txt") as part:
            names.add(part.name)
    assert len(names) == 3


def test_bytes_reach_the_disk_before_the_name_does(tmp_path, monkeypatch):
    acts = []
    flush, rename = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (acts.append("flush"), flush(handle)))
    monkeypatch.setattr(os, "replace", lambda *paths: (acts.append("rename"), rename(*paths)))
    write_text(tmp_path / "a.txt", "x")
    assert acts == ["flush", "rename", "flush"]  # the file, its name, the folder


def test_files_are_as_readable_as_the_user_wants_new_ones_to_be(tmp_path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


def dead_process():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_what_a_killed_process_left_half_written_is_cleared_away_by_the_next(tmp_path):
    stale = [tmp_path / f".a.h5.part-{dead_process()}-0123", tmp_path / ".b.h5.part-x"]
    alive = tmp_path / f".c.h5.part-{os.getpid()}-0123"
    for part in (*stale, alive):
        part.write_text("half")
    with claimed(tmp_path, "domain.json", {"stage": "test"}, recipe_of=dict, results="*.h5"):
        assert not any(part.exists() for part in stale)
        assert alive.exists()
    clear_parts(tmp_path / "nowhere")


class Full:
    """A disk that takes so many bytes."""

    def __init__(self, file, left):
        self.file, self.left = file, left

    def __getattr__(self, name):
        return getattr(self.file, name)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def write(self, content):
        self.left -= len(content)
        if self.left < 0:
            raise OSError(28, "No space left on device")
        return self.file.write(content)


@pytest.mark.parametrize("left", [0, 500, 3000, 20_000])
def test_a_disk_that_is_full_at_any_moment_is_one_error_and_the_file_can_be_closed(left, tmp_path, monkeypatch):
    real = type(tmp_path).open
    monkeypatch.setattr(type(tmp_path), "open", lambda path, *words, **more: Full(real(path, *words, **more), left))
    with pytest.raises((OSError, RuntimeError), match="No space left"):
        write_noise(tmp_path / "a.h5")


def write_noise(path):
    with created(path) as file:
        for number in range(8):
            file[str(number)] = np.random.default_rng(0).standard_normal(2000)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits of a process")
def test_a_quota_is_one_line_and_no_signal(tmp_path):
    program = """
import resource, sys
from myovivo.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
sys.exit(main())
"""
    words = ["simulate", str(tmp_path / "o"), "--sequences", "1", "--grid.frames", "64", "--quiet"]
    result = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "the disk is full, so it was not written and nothing was replaced" in result.stderr
    assert not list((tmp_path / "o").glob("*.h5"))


def test_files_written_so_are_those_that_h5py_writes(tmp_path):
    path = mv.Sequence(np.ones((40, 4, 4)), 500.0, (1e-3, 1e-3)).save(tmp_path / "a.h5")
    with h5py.File(path, "r") as file:
        assert file["data/velocity"].shape == (40, 4, 4)


def test_a_long_writing_ends_where_the_disk_is_full(tmp_path):
    program = f"""
import resource, sys
import numpy as np
from myovivo.errors import FileError
from myovivo.sequences.blocks import save_blocks
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
asked = []
def blocks():
    for number in range(100):
        asked.append(number)
        yield np.full((32, 8, 8), 1e-3, np.float32)
try:
    save_blocks({str(tmp_path / "a.h5")!r}, blocks(), (8, 8), 500.0, (1e-3, 1e-3), dict)
except FileError as error:
    print(len(asked), error)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    asked, told = result.stdout.split(" ", 1)
    assert int(asked) < 10
    assert "the disk is full" in told
    assert not list(tmp_path.iterdir())
