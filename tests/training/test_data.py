"""Domains: standardisation against NumPy, splits by subject, clips as a pure function of their number."""

import itertools
import warnings

import numpy as np
import pytest
from domains import domain, sequence

from myovivo.errors import FileError, InputError
from myovivo.sequences.header import common_header, read_header, sequence_files
from myovivo.sequences.scale import DomainScale, measured_scale
from myovivo.sequences.sequence import Sequence
from myovivo.sequences.split import SplitWarning, split_by_subject
from myovivo.training.data import Clips
from myovivo.training.prefetch import read_ahead

PLAIN = DomainScale(0.0, 1.0)


def test_standardisation_equals_numpy_on_the_concatenation(tmp_path):
    shapes = [(24, 16, 16), (300, 8, 8), (1, 16, 16)]
    rng = np.random.default_rng(0)
    for k, shape in enumerate(shapes):  # a mean far above the SD, which a sum of squares in float32 would lose
        velocity = (5.0 + k + 1e-3 * rng.normal(size=shape)).astype(np.float32)
        Sequence(velocity, 512, (1e-3, 1e-3)).save(tmp_path / f"{k}.h5")
    files = sequence_files(tmp_path)
    everything = np.concatenate([Sequence.load(path).velocity.ravel() for path in files]).astype(np.float64)
    found = measured_scale(files)
    assert found.mean == pytest.approx(everything.mean(), rel=1e-12)
    assert found.std == pytest.approx(everything.std(), rel=1e-9)


def test_standardising_is_undone():
    velocity = sequence().velocity
    standard = DomainScale(2e-4, 1e-3)
    assert abs(standard.apply(velocity).mean()) < 0.05
    assert standard.apply(velocity).std() == pytest.approx(1, abs=0.05)
    np.testing.assert_allclose(standard.undo(standard.apply(velocity)), velocity, atol=1e-9)


def test_constant_sequences_cannot_be_standardised(tmp_path):
    sequence().replace(velocity=np.zeros((4, 4, 4))).save(tmp_path / "a.h5")
    with pytest.raises(InputError, match="0 m/s everywhere"):
        measured_scale([tmp_path / "a.h5"])


@pytest.mark.parametrize("seed", range(5))
def test_no_subject_is_on_both_sides(tmp_path, seed):
    files = sequence_files(domain(tmp_path, "phantom", count=12, per_subject=3, shape=(2, 4, 4)))
    train, test = split_by_subject(files, 0.25, seed)
    subjects = [{read_header(path).subject for path in side} for side in (train, test)]
    assert subjects[0].isdisjoint(subjects[1])
    assert sorted(train + test) == files
    assert len(subjects[1]) == 1


def test_split_depends_on_the_seed_alone(tmp_path):
    files = sequence_files(domain(tmp_path, "phantom", count=12, shape=(2, 4, 4)))
    assert split_by_subject(files, 0.5, 3) == split_by_subject(reversed(files), 0.5, 3)
    assert len({tuple(split_by_subject(files, 0.5, seed)[1]) for seed in range(5)}) > 1


def test_one_subject_is_split_by_recording_and_says_so(tmp_path):
    files = sequence_files(domain(tmp_path, "vivo", count=4, per_subject=4, shape=(2, 4, 4)))
    with pytest.warns(SplitWarning, match="one subject"):
        train, test = split_by_subject(files, 0.25, 0)
    assert (len(train), len(test)) == (3, 1)


def test_several_subjects_raise_no_warning(tmp_path):
    files = sequence_files(domain(tmp_path, "vivo", count=4, per_subject=2, shape=(2, 4, 4)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        split_by_subject(files, 0.25, 0)


def test_a_single_sequence_cannot_be_held_out(tmp_path):
    files = sequence_files(domain(tmp_path, "vivo", count=1, shape=(2, 4, 4)))
    with pytest.raises(InputError, match="only sequence"):
        split_by_subject(files, 0.25, 0)
    assert split_by_subject(files, 0, 0) == (files, [])


@pytest.mark.parametrize(
    ("options", "message"),
    [({"frame_rate": 62}, "has 62 frames/s"), ({"spacing": (0.002, 0.0005)}, "has pixels of 2 x 0.5 mm")],
)
def test_a_domain_of_two_scales_is_refused(tmp_path, options, message):
    domain(tmp_path, "vivo", count=2, shape=(2, 4, 4))
    sequence("vivo", shape=(2, 4, 4), **options).save(tmp_path / "zz.h5")
    with pytest.raises(InputError, match=message):
        common_header(sequence_files(tmp_path))


def index_sequence(folder, frames=64, size=4):
    """Every value tells its frame, row and column."""
    t, z, x = np.meshgrid(np.arange(frames), np.arange(size), np.arange(size), indexing="ij")
    Sequence((t * 10_000 + z * 100 + x).astype(np.float32), 512, (1e-3, 1e-3)).save(folder / "index.h5")
    return [folder / "index.h5"]


def test_1024_frames_are_cut_into_32_clips_that_do_not_overlap(tmp_path):
    clips = Clips(index_sequence(tmp_path, 1024, 1), (32, 1, 1), PLAIN, seed=0, flip=False)
    assert len(clips) == 32
    for epoch in range(2):
        first = [clips[32 * epoch + k][0, 0, 0] / 10_000 for k in range(32)]
        assert sorted(first) == list(range(0, 1024, 32))
    assert [clips[k][0, 0, 0] for k in range(32)] != [clips[32 + k][0, 0, 0] for k in range(32)]


def test_frames_left_over_are_not_used(tmp_path):
    assert len(Clips(index_sequence(tmp_path, 70), (32, 4, 4), PLAIN, seed=0)) == 2


def test_half_of_the_clips_are_mirrored_laterally_and_only_so(tmp_path):
    files = index_sequence(tmp_path)
    straight, clips = Clips(files, (8, 4, 4), PLAIN, 0, flip=False), Clips(files, (8, 4, 4), PLAIN, 0, flip=True)
    mirrored = 0
    for k in range(200):
        if np.array_equal(clips[k], straight[k][:, :, ::-1]):
            mirrored += 1
        else:
            np.testing.assert_array_equal(clips[k], straight[k])
    assert 75 < mirrored < 125


def test_crops_cover_the_frame_and_stay_whole(tmp_path):
    clips = Clips(index_sequence(tmp_path), (8, 2, 3), PLAIN, 0, flip=False)
    corners = set()
    for k in range(100):
        clip = clips[k]
        assert clip.shape == (8, 2, 3)
        z, x = int(clip[0, 0, 0]) % 10_000 // 100, int(clip[0, 0, 0]) % 100
        np.testing.assert_array_equal(clip[0] % 10_000, 100 * (z + np.arange(2)[:, None]) + x + np.arange(3))
        corners.add((z, x))
    assert corners == set(itertools.product(range(3), range(2)))


def test_a_draw_depends_on_seed_and_number_alone(tmp_path):
    files = sequence_files(domain(tmp_path, "silico", count=3))
    first, second, other = (Clips(files, (8, 8, 8), PLAIN, seed) for seed in ((0, 1), (0, 1), (0, 2)))
    numbers = [7, 2, 30, 2]
    for k in numbers:
        np.testing.assert_array_equal(first[k], second[k])
    assert any(not np.array_equal(first[k], other[k]) for k in numbers)
    batch = first.batch(3, 2)
    assert batch.shape == (2, 1, 8, 8, 8)
    np.testing.assert_array_equal(batch[1, 0], second[7])


def test_clips_are_standardised(tmp_path):
    files = sequence_files(domain(tmp_path, "silico", count=4))
    clips = Clips(files, (8, 16, 16), measured_scale(files), 0)
    values = np.stack([clips[k] for k in range(len(clips))])
    assert abs(values.mean()) < 1e-5
    assert values.std() == pytest.approx(1, abs=1e-5)


def test_a_clip_larger_than_a_sequence_is_refused(tmp_path):
    files = sequence_files(domain(tmp_path, "silico", count=1))
    with pytest.raises(InputError, match=r"clip \(32, 16, 16\) must fit into every sequence.*\(24, 16, 16\)"):
        Clips(files, (32, 16, 16), PLAIN, 0)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_reading_ahead_keeps_the_order_and_raises_what_reading_raises(workers):
    assert list(read_ahead(lambda step: step**2, range(20), workers)) == [step**2 for step in range(20)]

    def fails_at_5(step):
        if step == 5:
            raise FileError("clip.h5", "is gone")
        return step

    seen = []
    with pytest.raises(FileError, match=r"clip.h5: is gone"):
        seen.extend(read_ahead(fails_at_5, range(20), workers))
