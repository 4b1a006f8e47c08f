"""The wheel holds all that the source tree does, and works outside of it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

SMALL_DEMO = """
import myovivo as mv
from myovivo.studies import demo

demo.SUBJECTS, demo.RUNS, demo.SEQUENCES, demo.DEMO_FRAMES = 2, 2, 4, 96
print(mv.__file__)
print(mv.demo("demo", quiet=True))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("hatchling", reason="the wheel is built by hatchling, of the extra dev")
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_the_wheel_holds_every_file_of_the_package(wheel):
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("myovivo/")}
    source = ROOT / "src"
    files = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    assert packed == {name for name in files if "__pycache__" not in name and not name.endswith(".pyc")}
    assert {"myovivo/py.typed", "myovivo/__init__.pyi", "myovivo/weights/house.safetensors"} <= packed


def test_the_demo_runs_from_the_wheel_outside_of_the_repository(wheel, tmp_path):
    package = tmp_path / "package"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(package)
    # First on the path, so before the tree that the tests run on; `-P` keeps the working folder out.
    environment = {**os.environ, "PYTHONPATH": str(package), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", SMALL_DEMO], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith(str(package))
    page = (tmp_path / "demo" / "report" / "report.html").read_text(encoding="utf-8")
    assert "vivo" in page
    assert "<svg" in page or "data:image/png" in page
