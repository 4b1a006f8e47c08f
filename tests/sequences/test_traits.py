"""What a domain's sequences are like: imposed, measured back, and what is unlike them told."""

import numpy as np
import pytest
from domains import sequence

import myovivo as mv
from myovivo.sequences.header import read_header
from myovivo.sequences.scale import Moments, measured_scale
from myovivo.sequences.traits import DomainBand, DomainTraits, Watched, band_of, measured_domain

ACQUIRED = {"stage": "acquire", "settings": {"conditioning": {"band": [5.0, 50.0], "order": 4}}}
RANGE = DomainTraits((1e-3, 2e-3), (4, 10), None)


def test_the_band_is_what_acquire_was_told():
    still = np.random.default_rng(0).normal(0, 1e-3, (512, 8, 8)).astype(np.float32)
    source = mv.Sequence.from_array(still, frame_rate=512, spacing=(1e-3, 1e-3))
    acquired = {"stage": "acquire", "settings": mv.AcquireSettings().model_dump(mode="json")}
    recorded = source.replace(provenance=acquired)
    assert band_of(recorded.provenance) == DomainBand(5.0, 50.0, 4)
    assert band_of(recorded.crop(0.1, 0.5).provenance) == DomainBand(5.0, 50.0, 4)
    assert band_of(recorded.resample(256.0).provenance) == DomainBand(5.0, 50.0, 4)


@pytest.mark.parametrize(
    "provenance",
    [
        {},
        {"stage": "simulate"},
        {"stage": "acquire"},
        {"stage": "acquire", "settings": {"conditioning": {"band": None, "order": 4}}},
        {"stage": "translate", "source": ACQUIRED},  # made by a network of something that was band-passed
    ],
)
def test_what_was_never_band_passed_has_no_band(provenance):
    assert band_of(provenance) is None


def test_a_domain_is_measured_in_one_pass(tmp_path):
    rng = np.random.default_rng(0)
    for k, size in enumerate((1e-3, 3e-3)):
        made = sequence(seed=k).replace(velocity=rng.normal(0, size, (24, 16, 16)).astype(np.float32))
        made.replace(provenance=ACQUIRED).save(tmp_path / f"{k}.h5")
    files = sorted(tmp_path.glob("*.h5"))
    scale, traits = measured_domain(files)
    assert scale == measured_scale(files)
    assert traits.amplitude == pytest.approx((1e-3, 3e-3), rel=0.05)
    assert (traits.units, traits.band) == ((2, 2), DomainBand(5.0, 50.0, 4))
    wide = {**ACQUIRED, "settings": {"conditioning": {"band": [2.0, 40.0], "order": 4}}}
    sequence().replace(provenance=wide).save(tmp_path / "2.h5")
    assert measured_domain(tmp_path.glob("*.h5"))[1].band == DomainBand(2.0, 50.0, 4)
    sequence().replace(labels=None).save(tmp_path / "3.h5")
    assert measured_domain(tmp_path.glob("*.h5"))[1][1:] == (None, None)


def test_traits_come_back_from_a_file():
    import json

    for traits in (RANGE, DomainTraits((0.0, 1.0), None, DomainBand(5.0, 50.0, 4))):
        assert DomainTraits.read(json.loads(json.dumps(traits._asdict()))) == traits


@pytest.mark.parametrize(
    ("amplitude", "units", "band", "says"),
    [
        (1.2e-3, 7, None, []),
        (2.9e-3, None, None, []),
        (4e-3, 7, None, ["an SD of 4 mm/s"]),
        (0.5e-3, 7, None, ["an SD of 0.5 mm/s"]),
        (1e-3, 25, None, ["25 motor units (they had 4 to 10)"]),
        (1e-3, 3, DomainBand(5.0, 50.0, 4), ["3 motor units", "the pass band 5-50 Hz (they had none)"]),
    ],
)
def test_what_is_unlike_a_domain_is_told(amplitude, units, band, says):
    unlike = RANGE.strangeness(amplitude, units, band)
    assert len(unlike) == len(says)
    assert all(told.startswith(expected) for told, expected in zip(unlike, says, strict=True))


def test_frames_that_come_twice_count_once(tmp_path):
    source = sequence(shape=(40, 4, 4))
    watched = Watched(read_header(source.save(tmp_path / "a.h5")), 2)
    for low, high in ((0, 18), (10, 30), (22, 40)):
        assert np.array_equal(watched.watch(low, source.velocity[low:high]), source.velocity[low:high])
    assert watched._moments.std == pytest.approx(source.velocity.astype(float).std())
    assert watched._moments.size == source.velocity.size
    assert Moments(0, 0.0, 0.0).std == 0
