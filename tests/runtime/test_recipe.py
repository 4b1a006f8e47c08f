"""A folder is made of what its recipe says, by one command at a time; results of one source are never another's."""

import json
import os
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest
from domains import TINY, domain, sequence, tiny

import myovivo as mv
from myovivo.errors import FileError, RunFolderError
from myovivo.models.settings import Optimiser
from myovivo.runtime.recipe import Sources, as_now, digest, locked, once, plain_recipe, sources_of
from myovivo.sequences.domain import good_sequence, make_domain
from myovivo.sequences.header import open_sequence, read_header
from myovivo.sequences.resample_domain import resample_domain
from myovivo.sequences.sequence import Sequence

SMALL = {"grid.frames": 32, "grid.rows": 16, "grid.columns": 16, "grid.depth": 0.016, "grid.width": 0.008}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    pair = domain(folder / "silico", "silico"), domain(folder / "vivo", "phantom", per_subject=2)
    return mv.train(tiny(**{"optimiser.steps": 1}), *pair, folder / "run", quiet=True)


def copies(folder, seed, names=("a.h5", "b.h5")):
    """Sequences of the same names, rates and sizes; other seeds, other motion."""
    return [sequence(seed=seed + k, subject="s").save(folder / name) for k, name in enumerate(names)]


# ------------------------------------------------------------------------- other sources of the same names


def test_translations_of_one_source_are_not_kept_for_another(run, tmp_path):
    copies(tmp_path / "a", 1)
    copies(tmp_path / "b", 7)
    mv.translate_domain(run, tmp_path / "a", tmp_path / "out", quiet=True)
    before = [path.read_bytes() for path in sorted((tmp_path / "out").glob("*.h5"))]
    with pytest.raises(RunFolderError, match=r"already holds another run \(source\.a\.h5 is "):
        mv.translate_domain(run, tmp_path / "b", tmp_path / "out", quiet=True)
    assert [path.read_bytes() for path in sorted((tmp_path / "out").glob("*.h5"))] == before
    mv.translate_domain(run, tmp_path / "a", tmp_path / "out", quiet=True)


def test_a_copy_of_the_same_bytes_is_the_same_source(run, tmp_path):
    for path in copies(tmp_path / "a", 1):
        (tmp_path / "b").mkdir(exist_ok=True)
        (tmp_path / "b" / path.name).write_bytes(path.read_bytes())
    first = mv.translate_domain(run, tmp_path / "a", tmp_path / "out", quiet=True)
    assert mv.translate_domain(run, tmp_path / "b", tmp_path / "out", quiet=True) == first


def test_units_of_one_source_are_not_kept_for_another(tmp_path):
    for seed in (1, 2):
        mv.simulate(seed=seed, **{**SMALL, "grid.frames": 512}).save(tmp_path / str(seed) / "a.h5")
    mv.identify_domain(tmp_path / "1", tmp_path / "out", workers=1, quiet=True, rounds=1)
    with pytest.raises(RunFolderError, match=r"source\.a\.h5 is "):
        mv.identify_domain(tmp_path / "2", tmp_path / "out", workers=1, quiet=True, rounds=1)


def test_sequences_resampled_from_one_source_are_not_kept_for_another(tmp_path):
    first, second = copies(tmp_path / "a", 1, ["a.h5"]), copies(tmp_path / "b", 2, ["a.h5"])
    resample_domain(first, tmp_path / "out", 256.0, workers=1, quiet=True)
    with pytest.raises(RunFolderError, match=r"source\.a\.h5 is "):
        resample_domain(second, tmp_path / "out", 256.0, workers=1, quiet=True)


def test_a_training_does_not_go_on_with_other_sequences_of_equal_mean_and_sd(tmp_path):
    """Frames in another order have the same mean and SD, and are other data."""
    pair = domain(tmp_path / "silico", "silico"), domain(tmp_path / "vivo", "phantom", per_subject=2)
    mv.train(tiny(**{"optimiser.steps": 1}), *pair, tmp_path / "run", quiet=True)
    path = next(tmp_path.glob("silico/00.h5"))
    turned = Sequence.load(path)
    turned.replace(velocity=turned.velocity[::-1].copy()).save(path)
    with pytest.raises(RunFolderError, match=r"already holds another run \(silico\."):
        mv.train(tiny(**{"optimiser.steps": 2}), *pair, tmp_path / "run", quiet=True)


# ------------------------------------------------------------------------- replaced while it is read


def test_a_source_replaced_while_it_is_read_is_refused_and_nothing_of_it_stays(tmp_path):
    source = copies(tmp_path / "in", 1, ["a.h5"])[0]

    def replaced_meanwhile(path):
        Sequence.load(source).save(path)
        os.replace(copies(tmp_path / "new", 5, ["a.h5"])[0], source)

    with pytest.raises(FileError, match="was replaced or changed while it was read; run the same command again"):
        make_domain(
            tmp_path / "out", {"a.h5": replaced_meanwhile}, {"stage": "test"}, good_sequence, "test", 1, True,
            sources={"a.h5": source},
        )  # fmt: skip
    assert not list((tmp_path / "out").glob("*.h5"))


def test_an_open_sequence_stays_the_one_that_was_opened(tmp_path):
    path, other = copies(tmp_path / "in", 1, ["a.h5", "b.h5"])
    whole = Sequence.load(path)
    with open_sequence(path) as original:
        start = original.velocity(0, 8)
        os.replace(other, path)
        rest, labels = original.velocity(8, 24), original.labels()
    np.testing.assert_array_equal(np.concatenate([start, rest]), whole.velocity)
    np.testing.assert_array_equal(labels.source, whole.labels.source)


def test_a_file_written_to_while_it_is_read_is_refused(tmp_path):
    path = copies(tmp_path / "in", 1, ["a.h5"])[0]

    def read_and_written():
        with open_sequence(path) as original:
            original.velocity(0, 8)
            time.sleep(0.01)
            with path.open("r+b") as file:
                file.seek(-1, os.SEEK_END)
                file.write(b"x")

    with pytest.raises(FileError, match="changed while it was read"):
        read_and_written()


def test_a_translation_of_a_source_replaced_half_way_is_of_one_recording(run, tmp_path, monkeypatch):
    source, other = copies(tmp_path / "in", 1, ["a.h5", "b.h5"])
    translator = mv.Translator.load(run, device="cpu")
    whole = translator.file(source, tmp_path / "whole.h5", frames_at_once=8)
    blocks = translator.walk.blocks

    def replacing(read, shape, seed, frames):
        for number, block in enumerate(blocks(read, shape, seed, frames)):
            if number == 1:
                os.replace(other, source)
            yield block

    monkeypatch.setattr(translator.walk, "blocks", replacing)
    made = translator.file(source, tmp_path / "made.h5", frames_at_once=8)
    np.testing.assert_array_equal(Sequence.load(made).velocity, Sequence.load(whole).velocity)


# ------------------------------------------------------------------------- two commands on one folder


def test_two_commands_started_together_never_mix_their_files(tmp_path):
    """The second is refused while the first works; afterwards the folder is of one seed, as its recipe says."""
    command = [sys.executable, "-m", "myovivo.cli", "simulate", str(tmp_path / "out"), "--sequences", "6", "--workers"]
    command += ["1", "--quiet", *(word for name, value in SMALL.items() for word in (f"--{name}", str(value)))]
    pair = [subprocess.Popen([*command, "--seed", str(seed)], stderr=subprocess.PIPE, text=True) for seed in (1, 2)]
    said = [process.communicate()[1] for process in pair]
    recipe = json.loads((tmp_path / "out" / "domain.json").read_text())
    seeds = {read_header(path).provenance["seed"][0] for path in (tmp_path / "out").glob("*.h5")}
    assert seeds == {recipe["seed"]}
    codes = [process.returncode for process in pair]
    assert codes[recipe["seed"] - 1] == 0
    if 2 in codes:
        assert "another command works on it" in said[codes.index(2)] or "already holds" in said[codes.index(2)]


def test_a_folder_at_work_refuses_a_second_command(tmp_path):
    started, go_on = threading.Event(), threading.Event()

    def slow(path):
        started.set()
        go_on.wait(10)
        sequence().save(path)

    def make(maker):
        return make_domain(tmp_path / "out", {"a.h5": maker}, {"stage": "test"}, good_sequence, "test", 1, True)

    first = threading.Thread(target=make, args=(slow,))
    first.start()
    assert started.wait(10)
    with pytest.raises(FileError, match="out: another command works on it; wait until that has ended, or stop it"):
        make(slow)
    go_on.set()
    first.join()
    assert make(slow) == [tmp_path / "out" / "a.h5"]


def test_a_run_that_trains_refuses_a_second_training(run):
    with locked(run / ".lock", run), pytest.raises(FileError, match="another command works on it"):
        mv.train(tiny(**{"optimiser.steps": 2}), run.parent / "silico", run.parent / "vivo", run, quiet=True)


# ------------------------------------------------------------------------- folders of earlier versions


def test_a_recipe_of_an_earlier_version_is_read_in_the_words_of_this_one(tmp_path):
    files = copies(tmp_path, 1)
    here = {"settings": Optimiser(), "source": sources_of(files), "seed": 1}
    old = {"settings": {"learning_rate": 2e-4, "recall": 0}, "source": ["a.h5", "b.h5"], "seed": 1}
    assert as_now(old, here) == plain_recipe(here)
    assert as_now({**old, "source": ["a.h5", "c.h5"]}, here)["source"] == ["a.h5", "c.h5"]
    assert as_now({"seed": 1, "settings": {}}, here) == plain_recipe(here)  # before sources were digested
    assert isinstance(here["source"], Sources)
    assert here["source"]["a.h5"] == digest(files[0])


def test_a_domain_of_the_version_before_is_gone_on_with(run, tmp_path):
    """It named its sources, and its settings had names that are gone."""
    copies(tmp_path / "in", 1)
    first = mv.translate_domain(run, tmp_path / "in", tmp_path / "out", quiet=True)
    manifest = tmp_path / "out" / "domain.json"
    recipe = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**recipe, "source": ["a.h5", "b.h5"]}))
    first[1].unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mv.translate_domain(run, tmp_path / "in", tmp_path / "out", quiet=True) == first
    assert json.loads(manifest.read_text()) == recipe


def test_a_run_of_the_version_before_is_gone_on_with(tmp_path):
    pair = domain(tmp_path / "silico", "silico"), domain(tmp_path / "vivo", "phantom", per_subject=2)
    mv.train(tiny(**{"optimiser.steps": 1}), *pair, tmp_path / "run", quiet=True)
    manifest = tmp_path / "run" / "run.json"
    content = json.loads(manifest.read_text())
    for name in ("silico", "vivo"):
        del content["recipe"][name]["sha256"]
    content["recipe"]["settings"]["generator"]["upsampling"] = "transposed"
    manifest.write_text(json.dumps(content))
    mv.train(tiny(**{"optimiser.steps": 2}), *pair, tmp_path / "run", quiet=True)
    assert set(json.loads(manifest.read_text())["recipe"]["silico"]["sha256"]) == {f"{k:02d}.h5" for k in range(6)}
    assert TINY["optimiser.steps"] == 6


def test_what_was_computed_once_is_kept_for_its_recipe_only(tmp_path):
    assert once(tmp_path / "a.json", {"of": 1}, lambda: [1, 2]) == [1, 2]
    assert once(tmp_path / "a.json", {"of": 1}, lambda: [3]) == [1, 2]
    with pytest.raises(RunFolderError, match=r"is of another comparison \(of is 1 there, 2 here\)"):
        once(tmp_path / "a.json", {"of": 2}, lambda: [3])


def test_a_phantom_s_folder_is_gone_on_with_where_a_setting_has_come_since(tmp_path):
    small = {**SMALL, "grid.frames": 64, "imaging.rows": 32, "imaging.columns": 32}
    files = mv.phantom_domain(tmp_path / "out", 1, 1, small, workers=1, quiet=True)
    manifest = tmp_path / "out" / "domain.json"
    recipe = json.loads(manifest.read_text())
    del recipe["acquire"]["scan"]["sign"]
    manifest.write_text(json.dumps(recipe))
    assert mv.phantom_domain(tmp_path / "out", 1, 1, small, workers=1, quiet=True) == files
