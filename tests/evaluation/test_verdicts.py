"""Verdicts: right where the truth is known, wrong no more often than they say, silent with too few subjects."""

import numpy as np

from myovivo.evaluation.bootstrap import resampled_pair_means
from myovivo.evaluation.verdicts import decide


def rows(none, translated, subjects=12, seed=0):
    """Means and resampled means over pairs: a reference around 0, and two domains that share what is their own."""
    rng = np.random.default_rng(seed)
    vivo, own = rng.standard_normal(subjects), rng.standard_normal(subjects)
    names_a, names_b = [f"a{k}" for k in range(subjects)], [f"b{k}" for k in range(subjects)]
    within = np.where(np.triu(np.ones((subjects,) * 2, bool), 1), np.add.outer(vivo, vivo), np.nan)
    first = np.add.outer(own + none, vivo)
    second = np.add.outer(own + translated + 0.1 * rng.standard_normal(subjects), vivo)
    across = [(one.mean(), resampled_pair_means(one, names_a, names_b)) for one in (first, second)]
    return *across, (np.nanmean(within), resampled_pair_means(within, names_b, names_b))


def test_what_moved_is_told_though_subjects_vary_more_than_it_moved():
    assert decide(*rows(4.0, 3.7)).decision == "towards"
    assert decide(*rows(3.7, 4.0)).decision == "away"
    assert decide(*rows(-4.0, -3.7)).decision == "towards"
    assert str(decide(*rows(4.0, 3.7))) == "moved towards vivo-vivo"
    assert str(decide(*rows(3.7, 4.0))) == "moved away from vivo-vivo"


def test_where_nothing_moved_it_seldom_decides():
    decided = [decide(*rows(4.0, 4.0, seed=seed)).decision != "cannot be told" for seed in range(200)]
    assert np.mean(decided) < 0.12  # 5 % and a little, as intervals of twelve subjects are a little narrow


def test_doing_nothing_and_too_few_subjects_cannot_be_told():
    none, _, reference = rows(4.0, 3.0)
    assert decide(none, none, reference).decision == "cannot be told"
    assert decide(*rows(4.0, 1.0, subjects=2)).decision == "cannot be told"
    few = decide(*rows(4.0, 1.0, subjects=2)).to_dict()
    assert few["low"] is None
    assert few["change"] < 0
