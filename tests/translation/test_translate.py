"""Translation: any length, labels carried, the same seed the same bytes, and scales that fit."""

import warnings

import numpy as np
import pytest
import torch
from domains import SPACING, domain, sequence, tiny

import myovivo.translation.translator as translate_module
from myovivo.errors import CheckpointError, FileError, InputError, RunFolderError, WrongTypeError
from myovivo.runs.folder import test_files
from myovivo.sequences.header import sequence_files
from myovivo.sequences.sequence import Sequence
from myovivo.training.train import train
from myovivo.translation.translate import translate_domain
from myovivo.translation.translator import DomainWarning, Translator


@pytest.fixture(scope="module")
def domains(tmp_path_factory):
    folder = tmp_path_factory.mktemp("domains")
    return domain(folder / "silico", "silico"), domain(folder / "vivo", "phantom", per_subject=2)


@pytest.fixture(scope="module")
def runs(domains, tmp_path_factory):
    """Trained just enough that the output differs from the input; float32, so that windows can be compared."""
    folder = tmp_path_factory.mktemp("runs")
    base = {"optimiser.precision": "fp32", "optimiser.steps": 3}
    kinds = {
        "plain": {},
        "stride2": {"generator.temporal_stride": 2},
        "flat": {"generator.dimensions": 2, "data.clip": (1, 16, 16)},
        "house": {"method": "one-sided", "local.cell": 2, "local.features": 8, "local.blocks": 2},
        "bf16": {"optimiser.precision": "bf16"},
    }
    return {
        name: train(tiny(**(base | changes)), *domains, folder / name, quiet=True) for name, changes in kinds.items()
    }


@pytest.fixture(scope="module")
def translator(runs):
    return Translator.load(runs["plain"])


def test_labels_are_carried_along_and_the_rest_is_said(translator, runs):
    source = sequence(seed=3)
    translated = translator(source, seed=5)
    assert translated.labels is source.labels
    assert translated.origin == "translated"
    assert (translated.frame_rate, translated.spacing) == (source.frame_rate, source.spacing)
    note = translated.provenance
    assert note["seed"] == 5
    assert note["direction"] == "silico_to_vivo"
    assert note["run"] == str(runs["plain"])
    assert note["source"] == source.provenance
    assert note["frames_at_once"] == 24
    assert note["settings"]["generator"]["features"] == 8
    assert note["standardisation"]["vivo"] == list(translator.weights.standards["vivo"].pair)


def test_labels_survive_the_file(translator, tmp_path):
    translator(sequence()).save(tmp_path / "a.h5")
    labels, expected = Sequence.load(tmp_path / "a.h5").labels, sequence().labels
    for found, wanted in zip(labels.spike_times, expected.spike_times, strict=True):
        np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(labels.mask, expected.mask)
    np.testing.assert_array_equal(labels.source, expected.source)


@pytest.mark.parametrize("kind", ["plain", "flat", "house", "bf16"])
def test_same_seed_same_bytes_other_seed_other_bytes(runs, kind):
    translator, source = Translator.load(runs[kind]), sequence()
    first = translator(source, seed=1).velocity
    np.testing.assert_array_equal(first, Translator.load(runs[kind])(source, seed=1).velocity)
    assert not np.array_equal(first, translator(source, seed=2).velocity)


def test_an_identity_only_changes_the_scale(translator, monkeypatch):
    """v -> (v - mean_s) / std_s · std_v + mean_v, in m/s."""
    untrained = Translator(translator.weights)
    monkeypatch.setattr(untrained.generator, "forward", lambda x, noise=None: x)
    source = sequence()
    silico, vivo = (translator.weights.standards[name] for name in ("silico", "vivo"))
    expected = (source.velocity - silico.mean) / silico.std * vivo.std + vivo.mean
    np.testing.assert_allclose(untrained(source).velocity, expected, rtol=1e-4, atol=1e-8)
    assert vivo.std > 3 * silico.std


@pytest.mark.parametrize("kind", ["plain", "stride2", "flat", "house"])
@pytest.mark.parametrize("shape", [(1, 16, 16), (7, 16, 16), (33, 16, 17), (50, 16, 18)])
def test_any_length_and_width(runs, kind, shape):
    translated = Translator.load(runs[kind])(sequence(shape=shape))
    assert translated.shape == shape
    assert np.isfinite(translated.velocity).all()


@pytest.mark.parametrize("kind", ["flat", "house"])
@pytest.mark.parametrize("frames", [1, 16, 30])
def test_windows_equal_the_whole_without_instance_norm(runs, kind, frames):
    translator, source = Translator.load(runs[kind]), sequence(shape=(90, 16, 16))
    if kind == "flat":  # single frames never see each other, whatever the norm
        assert translator.frames_that_fit((90, 16, 16)) == 90
    whole, windows = translator(source, seed=4), translator(source, seed=4, frames_at_once=frames)
    scale = translator.weights.standards["vivo"].std
    np.testing.assert_allclose(windows.velocity / scale, whole.velocity / scale, atol=1e-4)
    assert windows.provenance["frames_at_once"] == frames


def test_windows_change_the_result_of_instance_norm_and_the_provenance_says_which(runs):
    translator, source = Translator.load(runs["plain"]), sequence(shape=(200, 16, 16))
    whole, windows = translator(source), translator(source, frames_at_once=8)
    assert np.linalg.norm(windows.velocity - whole.velocity) > 1e-3 * np.linalg.norm(whole.velocity)
    assert (whole.provenance["frames_at_once"], windows.provenance["frames_at_once"]) == (200, 8)


def test_memory_budget_limits_the_frames_at_once(runs, monkeypatch):
    translator = Translator.load(runs["plain"])
    assert translator.frames_that_fit((90, 16, 16)) == 90
    monkeypatch.setattr(translate_module, "MEMORY_BUDGET", 3e6)
    fewer = translator.frames_that_fit((90, 16, 16))
    assert 1 <= fewer < 90
    assert translator(sequence(shape=(90, 16, 16))).provenance["frames_at_once"] == fewer


def test_the_other_direction_has_no_noise_and_the_other_scale(runs):
    back = Translator.load(runs["plain"], "vivo_to_silico")
    source = sequence("phantom")
    np.testing.assert_array_equal(back(source, seed=1).velocity, back(source, seed=2).velocity)
    assert back(source).velocity.std() < source.velocity.std()


def test_a_sequence_of_the_wrong_domain_is_warned_of(translator):
    with pytest.warns(DomainWarning, match="expects a sequence of origin silico, got phantom"):
        translator(sequence("phantom"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        translator(sequence("silico"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frame_rate": 256.0}, "the sequence has 256 frames/s but the run .* has 512"),
        ({"spacing": (0.001, 0.001)}, "the sequence has pixels of 1 x 1 mm but the run .* has 1 x 0.5 mm"),
    ],
)
def test_other_scales_are_refused(translator, options, message):
    with pytest.raises(InputError, match=message):
        translator(sequence(**options))


def test_a_run_that_knows_depth_refuses_other_depths(runs):
    with pytest.raises(InputError, match="has 12 rows but the run, which knows depth, was trained on 16"):
        Translator.load(runs["house"])(sequence(shape=(24, 12, 16)))


def test_wrong_arguments_are_named(translator, runs, tmp_path):
    with pytest.raises(InputError, match="frames_at_once must be at least 1, got 0"):
        translator(sequence(), frames_at_once=0)
    with pytest.raises(InputError, match="direction must be silico_to_vivo or vivo_to_silico, got 'a_to_b'"):
        Translator.load(runs["plain"], "a_to_b")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="device must be"):
        Translator.load(runs["plain"], device="gpu")
    with pytest.raises(CheckpointError, match="does not exist"):
        Translator.load(tmp_path)


def test_a_folder_is_translated_once(runs, domains, tmp_path):
    out = tmp_path / "out"
    files = translate_domain(runs["plain"], domains[0], out, seed=1, quiet=True)
    assert [path.name for path in files] == [path.name for path in sequence_files(domains[0])]
    before = {path: path.read_bytes() for path in files}
    first = Sequence.load(files[0])
    expected = Translator.load(runs["plain"])(Sequence.load(sequence_files(domains[0])[0]), seed=(1, 0))
    np.testing.assert_array_equal(first.velocity, expected.velocity)

    files[0].unlink()
    files[1].write_bytes(b"half a file")
    kept = files[2].stat().st_mtime_ns
    translate_domain(runs["plain"], domains[0], out, seed=1, quiet=True)
    assert {path: path.read_bytes() for path in files} == before
    assert files[2].stat().st_mtime_ns == kept
    with pytest.raises(RunFolderError, match="seed is 1 there, 2 here"):
        translate_domain(runs["plain"], domains[0], out, seed=2, quiet=True)


def test_the_band_is_that_of_recordings(runs, tmp_path):
    source = sequence(shape=(600, 16, 16), seed=3)
    source = source.replace(velocity=source.velocity + 0.01)  # m/s; a steady velocity, which no band-pass lets through
    translator = Translator.load(runs["house"])
    plain, banded = translator(source), translator(source, band=(20.0, 60.0))
    spectra = [np.abs(np.fft.rfft(each.velocity, axis=0)) ** 2 for each in (plain, banded)]
    frequency = np.fft.rfftfreq(600, 1 / source.frame_rate)
    inside, outside = (frequency > 25) & (frequency < 50), (frequency < 10) | (frequency > 90)
    passed, stopped = (spectra[1][part].sum() / spectra[0][part].sum() for part in (inside, outside))
    assert 0.85 < passed < 1.02
    assert stopped < 0.02
    steady = [np.abs(each.velocity.mean(0)).max() for each in (plain, banded)]
    assert steady[0] > 0.005
    assert steady[1] < 0.02 * steady[0]
    assert banded.provenance["band"] == [20.0, 60.0]
    assert plain.provenance["band"] is None

    path = source.save(tmp_path / "source.h5")
    translator.file(path, tmp_path / "out.h5", frames_at_once=50, band=(20.0, 60.0))
    stored = Sequence.load(tmp_path / "out.h5")
    np.testing.assert_allclose(stored.velocity, banded.velocity, atol=1e-4 * banded.velocity.std())
    assert stored.provenance["band"] == [20.0, 60.0]


@pytest.mark.parametrize("band", [(0.0, 50.0), (50.0, 5.0), (5.0, 256.0)])
def test_an_impossible_band_is_refused_before_anything_is_translated(translator, band):
    with pytest.raises(
        InputError,
        match=r"band (must be two frequencies with 0 < low < high|5-256 Hz must end under half the frame rate)",
    ):
        translator(sequence(), band=band)


def test_a_sequence_too_short_for_the_band_is_refused(translator):
    with pytest.raises(InputError, match="5 frames at 512 Hz are too few for 5 Hz"):
        translator(sequence(shape=(5, 16, 16)), band=(5.0, 50.0))


def test_a_folder_of_another_band_is_refused(runs, domains, tmp_path):
    how = {"source": [domains[0] / "00.h5"], "out": tmp_path / "out", "quiet": True}
    translate_domain(runs["plain"], **how)
    with pytest.raises(RunFolderError, match="band"):
        translate_domain(runs["plain"], band=(20.0, 60.0), **how)


def test_the_held_out_sequences_are_the_default(runs, tmp_path):
    files = translate_domain(runs["plain"], None, tmp_path / "out", quiet=True)
    assert [path.name for path in files] == [path.name for path in test_files(runs["plain"], "silico")]


def test_a_run_that_held_out_nothing_has_no_default(domains, tmp_path):
    settings = tiny(**{"data.held_out": 0, "optimiser.steps": 1})
    run = train(settings, *domains, tmp_path / "run", quiet=True)
    with pytest.raises(FileError, match="held out no sequences"):
        translate_domain(run, None, tmp_path / "out", quiet=True)


def test_two_files_of_one_name_are_refused(runs, domains, tmp_path):
    sequence().save(tmp_path / "00.h5")
    with pytest.raises(InputError, match="same name"):
        translate_domain(runs["plain"], [domains[0] / "00.h5", tmp_path / "00.h5"], tmp_path / "out", quiet=True)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_gpu_and_cpu_agree_on_the_noise_and_the_result(runs):
    source = sequence()
    on_cpu, on_gpu = (Translator.load(runs["plain"], device=device)(source, seed=1) for device in ("cpu", "cuda"))
    scale = on_cpu.velocity.std()
    np.testing.assert_allclose(on_gpu.velocity / scale, on_cpu.velocity / scale, atol=1e-3)


# ------------------------------------------------------------------------------------ wrong calls


def test_an_array_is_refused_with_how_to_make_a_sequence(translator):
    with pytest.raises(WrongTypeError, match=r"give a Sequence, got ndarray: mv.Sequence\(array, frame_rate"):
        translator(sequence().velocity)


def test_a_name_that_is_nearly_that_of_bundled_weights_is_answered(tmp_path):
    with pytest.raises(CheckpointError, match=r"^hause: does not exist; .*weights \(house\); did you mean house"):
        Translator.load("hause")
    with pytest.raises(CheckpointError, match=r"bundled weights \(house\)$"):
        Translator.load(tmp_path / "gone")
    with pytest.raises(CheckpointError, match="saved at least once"):
        Translator.load(tmp_path)


def test_weights_without_a_run_hold_nothing_out(runs, tmp_path):
    with pytest.raises(FileError, match=r"^house: bundled weights hold nothing out; name the sequences to translate"):
        translate_domain("house", None, tmp_path / "out", device="cpu", quiet=True)
    alone = tmp_path / "mine.safetensors"
    alone.write_bytes((runs["plain"] / "weights.safetensors").read_bytes())
    with pytest.raises(FileError, match="weights alone hold nothing out; name the sequences to translate"):
        translate_domain(alone, None, tmp_path / "out", device="cpu", quiet=True)
    assert not (tmp_path / "out").exists()


def test_a_sequence_of_other_sampling_is_made_to_fit_by_resampling(runs):
    to_vivo = Translator.load(runs["house"], device="cpu")
    shape = (60, 32, 16)
    other = sequence(shape=shape, frame_rate=600.0, spacing=(SPACING[0] / 2, SPACING[1]))
    with pytest.raises(InputError, match=r"Sequence\.resample"):
        to_vivo(other)
    made = other.resample(like=to_vivo)
    assert made.shape == (51, 16, 16)
    assert to_vivo(made).shape == made.shape
