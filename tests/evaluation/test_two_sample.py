"""The two-sample test: it finds a difference that is there, none that is not, and cannot go by who was recorded."""

import numpy as np
import pytest
import torch

from myovivo.errors import InputError
from myovivo.evaluation.two_sample import two_sample_test
from myovivo.sequences.sequence import Sequence

SMALL = {"clip": (16, 16, 16), "folds": 2, "steps": 40, "batch": 8, "quiet": True}


def sequences(count, origin, smooth=1, fingerprint=0.0, seed=0, shape=(64, 16, 16), frame_rate=512.0):
    """White noise, smoothed over so many frames, beside a pattern of the subject's own."""
    made = []
    for k in range(count):
        rng = np.random.default_rng((seed, k, origin == "phantom"))
        noise = rng.standard_normal((shape[0] + smooth - 1, *shape[1:]))
        velocity = np.mean([noise[i : i + shape[0]] for i in range(smooth)], axis=0) * smooth**0.5
        velocity = velocity + fingerprint * rng.standard_normal(shape[1:])
        subject = f"{origin}{k:02d}"
        made.append(Sequence(velocity.astype(np.float32), frame_rate, (1e-3, 1e-3), origin=origin, subject=subject))
    return made


def test_it_tells_two_spectra_apart():
    result = two_sample_test(sequences(6, "translated", smooth=3), sequences(6, "phantom"), **SMALL)
    assert result.accuracy > 0.9
    assert result.auc > 0.9
    assert result.interval[0] <= result.accuracy <= result.interval[1]
    assert len(result.sequences) == 12


def test_the_auc_is_how_often_a_recorded_sequence_scores_higher():
    result = two_sample_test(sequences(5, "translated"), sequences(4, "phantom"), **(SMALL | {"steps": 2}))
    recorded, translated = ([s.score for s in result.sequences if s.vivo == vivo] for vivo in (True, False))
    above = [(real > fake) + 0.5 * (real == fake) for real in recorded for fake in translated]
    assert result.auc == pytest.approx(np.mean(above))
    assert 0 < result.auc < 1


def test_it_cannot_tell_what_is_the_same():
    result = two_sample_test(sequences(8, "translated"), sequences(8, "phantom"), **SMALL)
    assert 0.25 < result.accuracy < 0.75


def test_it_does_not_go_by_who_was_recorded():
    """Each subject can be known by a pattern of its own, which says nothing of the domain."""
    domains = [sequences(8, origin, fingerprint=2.0) for origin in ("translated", "phantom")]
    result = two_sample_test(*domains, **SMALL)
    assert 0.2 < result.accuracy < 0.8


def test_the_same_seed_gives_the_same_result_and_leaves_the_global_generator_alone():
    domains = sequences(4, "translated"), sequences(4, "phantom")
    quick = SMALL | {"steps": 3}
    state = torch.random.get_rng_state()
    first, second = two_sample_test(*domains, **quick), two_sample_test(*domains, **quick)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert first == second
    assert two_sample_test(*domains, **quick, seed=1) != first


def test_it_says_what_it_found_in_one_line():
    result = two_sample_test(sequences(4, "translated"), sequences(4, "phantom"), **(SMALL | {"steps": 2}))
    text = str(result)
    assert "\n" not in text
    assert "0.5 = cannot tell" in text
    assert result.to_dict()["sequences"][0]["name"] == "sequence-0000"


@pytest.mark.parametrize(
    ("translated", "changes", "message"),
    [
        (sequences(4, "translated"), {"folds": 5}, "5 folds need .* as many translated subjects, got 4 subjects"),
        (sequences(4, "translated"), {"clip": (65, 16, 16)}, r"clip \(65, 16, 16\) must fit into"),
        (sequences(4, "translated", frame_rate=256.0), {}, "at 512 Hz, but sequence-0000 has"),
        (sequences(4, "translated", shape=(64, 16, 20)), {}, "make them alike"),
    ],
)
def test_domains_that_cannot_be_compared(translated, changes, message):
    with pytest.raises(InputError, match=message):
        two_sample_test(translated, sequences(4, "phantom"), **(SMALL | changes))
