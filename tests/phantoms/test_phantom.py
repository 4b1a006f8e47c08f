"""The tissue phantom: imaging against imposed motion, and how subjects differ."""

import numpy as np
import pytest

from myovivo.acquisition.acquire import acquire
from myovivo.acquisition.settings import Velocity
from myovivo.acquisition.velocity import autocorrelation_velocity
from myovivo.errors import InputError
from myovivo.phantoms.imaging import Scanner
from myovivo.phantoms.phantom import phantom, phantom_domain
from myovivo.phantoms.settings import Imaging, PhantomSettings, Tissue
from myovivo.phantoms.tissue import draw_tissue
from myovivo.runtime.settings import settings_from
from myovivo.sequences.grid import Grid
from myovivo.sequences.recording import Recording
from myovivo.sequences.sequence import Sequence
from myovivo.simulation.simulate import simulate

TINY = {"grid.frames": 40, "imaging.rows": 64, "imaging.columns": 32, "grid.rows": 16, "grid.columns": 16}
TINY |= {"firing.units": (6, 6)}


# ------------------------------------------------------------------- imposed motion, measured back

GRID = Grid(depth=0.02, width=0.02, rows=64, columns=64)
IMAGING = Imaging(rows=128, columns=64)
RATE, FRAMES = 2000.0, 1200


def scanned(displacement, pattern, snr_db=30.0, seed=0):
    scanner = Scanner(IMAGING, GRID, np.ones((64, 64)), snr_db, np.random.default_rng(seed))
    return Recording(
        blocks=lambda: scanner.image(displacement[None], pattern[None], seed),
        shape=(len(displacement), IMAGING.rows, IMAGING.columns),
        frame_rate=RATE,
        spacing=scanner.spacing,
        centre_frequency=IMAGING.centre_frequency,
        sound_speed=IMAGING.sound_speed,
    )


PATTERNS = {
    "rigid": np.ones((64, 64)),
    "lateral shear": np.tile(np.linspace(-1, 1, 64)[None, :], (64, 1)),
    "axial strain": np.tile(np.linspace(0, 1, 64)[:, None], (1, 64)),
}


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("amplitude", [2e-6, 50e-6])
def test_motion_is_measured_back_within_three_percent(name, amplitude):
    frequency, pattern = 20.0, PATTERNS[name]
    t = np.arange(FRAMES) / RATE
    recording = scanned(amplitude * np.sin(2 * np.pi * frequency * t), pattern)
    found = acquire(recording, {"output.rows": 64, "output.columns": 64}, quiet=True)
    t = np.arange(found.shape[0]) / found.frame_rate
    middle = slice(77, -77)
    wave = np.exp(-2j * np.pi * frequency * t[middle])
    phasor = 2 * np.tensordot(wave, found.velocity[middle], 1) / len(wave)  # velocity = A w cos(w t): real, in phase
    gain = phasor / (amplitude * 2 * np.pi * frequency)
    assert found.spacing == pytest.approx((GRID.depth / 64, GRID.width / 64))
    inner = (slice(6, -6), slice(6, -6))  # at the borders the averaging window is cut off on one side
    fitted = np.sum((gain * pattern)[inner]) / np.sum(pattern[inner] ** 2)
    assert abs(fitted) == pytest.approx(1, abs=0.03)
    assert np.angle(fitted) / (2 * np.pi * frequency) == pytest.approx(0, abs=2e-4)  # s: no delay
    assert np.abs(gain - pattern)[inner].mean() < 0.06


def test_lateral_motion_moves_the_speckle_as_far_as_asked():
    # A lateral step of 50 um between two frames: the phase of the lateral spectrum gives it back.
    step = 5e-5
    scanner = Scanner(IMAGING, GRID, np.ones((64, 64)), 80.0, np.random.default_rng(0))
    source, nothing = np.array([[0.0, step]]), np.zeros((1, 64, 64))
    (frames,) = scanner.image(source, nothing, 0, np.ones((1, 64, 64)))
    first, second = np.fft.fft(frames * np.hanning(64), axis=2)
    k = 2 * np.pi * np.fft.fftfreq(64, scanner.spacing[1])
    seen = np.abs(k) < 2000
    cross = (second * first.conj()).sum(0)[seen]
    slope = np.sum(np.angle(cross) * k[seen] * np.abs(cross)) / np.sum(k[seen] ** 2 * np.abs(cross))
    assert -slope == pytest.approx(step, rel=0.05)
    (still,) = scanner.image(source, nothing, 0)
    assert np.abs(still[1] - still[0]).max() < 1e-2 * np.abs(still).max()  # nothing but noise without it


def test_steady_motion_has_the_sign_and_size_it_was_given_and_the_estimators_agree():
    speed = 0.002  # m/s towards the probe
    recording = scanned(speed * np.arange(64) / RATE, PATTERNS["rigid"], snr_db=40)
    for estimator in ("loupas", "kasai"):
        estimate = autocorrelation_velocity(recording, Velocity(estimator=estimator), quiet=True)
        assert np.mean(estimate.velocity) == pytest.approx(speed, rel=0.02)
        assert estimate.velocity.shape == (64, 32, 64)
    # Loupas divides by the frequency that the speckle has at each place, so it scatters less.
    scatter = {
        estimator: autocorrelation_velocity(recording, Velocity(estimator=estimator), quiet=True).velocity.std()
        for estimator in ("loupas", "kasai")
    }
    assert scatter["loupas"] < 0.8 * scatter["kasai"]


def test_loupas_finds_a_shifted_centre_frequency_where_kasai_is_wrong():
    t = np.arange(64) / RATE
    recording = scanned(0.002 * t, PATTERNS["rigid"], snr_db=40)
    # The same echoes demodulated 10 % too high: their phase now also turns with depth.
    wrong = 1.1 * IMAGING.centre_frequency
    z = np.arange(IMAGING.rows) * recording.spacing[0]
    turn = np.exp(-4j * np.pi * (wrong - IMAGING.centre_frequency) * z / IMAGING.sound_speed).astype(np.complex64)
    shifted = Recording.of_array(
        recording.iq * turn[:, None], frame_rate=RATE, spacing=recording.spacing, centre_frequency=wrong
    )
    loupas = autocorrelation_velocity(shifted, Velocity(), quiet=True)
    kasai = autocorrelation_velocity(shifted, Velocity(estimator="kasai"), quiet=True)
    assert loupas.velocity.mean() == pytest.approx(0.002, rel=0.02)
    assert np.median(loupas.centre_frequency) == pytest.approx(IMAGING.centre_frequency, rel=0.01)
    assert kasai.velocity.mean() == pytest.approx(0.002 / 1.1, rel=0.02)


# ------------------------------------------------------------------------------------ the phantom


@pytest.fixture(scope="module")
def recorded():
    changes = {"grid.frames": 256, "grid.rows": 64, "grid.columns": 64, "imaging.snr_db": (50.0, 50.0)}
    recording = phantom(seed=1, **changes)
    return recording, acquire(recording, {"output.rows": 64, "output.columns": 64, "output.frames": 256}, quiet=True)


def test_acquired_velocity_follows_the_true_velocity(recorded):
    from myovivo.signals.band_pass import band_pass

    _, sequence = recorded
    truth = band_pass(sequence.labels.velocity(), sequence.frame_rate, (5.0, 50.0))[30:-30]
    found = sequence.velocity[30:-30]
    moving = truth.std(0) > 0.3 * truth.std(0).max()
    a, b = found[:, moving], truth[:, moving]
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.98
    assert np.sum(a * b) / np.sum(b * b) == pytest.approx(1, abs=0.05)
    assert sequence.origin == "phantom"
    assert sequence.subject == "phantom00"


def test_runs_of_a_subject_share_its_tissue_and_subjects_do_not():
    settings = settings_from(PhantomSettings, TINY)
    activity = simulate(seed=0, **{"grid.frames": 40, "grid.rows": 32, "grid.columns": 32})
    first, again = (phantom(settings, subject=0, run=run, activity=activity) for run in (0, 1))
    other = phantom(settings, subject=1, activity=activity)
    assert np.array_equal(first.labels.weight, again.labels.weight)
    assert not np.allclose(first.labels.weight, other.labels.weight)
    assert all(np.array_equal(a, b) for a, b in zip(first.labels.spike_times, activity.labels.spike_times, strict=True))


def test_same_seed_same_frames_and_workers_do_not_change_them(tmp_path):
    settings = settings_from(PhantomSettings, TINY)
    assert np.array_equal(phantom(settings, seed=3).iq, phantom(settings, seed=3).iq)
    assert not np.array_equal(phantom(settings, seed=3).iq, phantom(settings, seed=4).iq)
    one = phantom_domain(tmp_path / "one", 2, 1, settings, workers=1, quiet=True)
    two = phantom_domain(tmp_path / "two", 2, 1, settings, workers=2, quiet=True)
    for a, b in zip(one, two, strict=True):
        assert Sequence.load(a).velocity.tobytes() == Sequence.load(b).velocity.tobytes()


def test_drift_and_pulsation_are_background_of_the_size_asked_for():
    changes = {**TINY, "grid.frames": 512, "contraction.beyond": 0.0, "contraction.drift": 1e-3}
    changes |= {"contraction.drift_probability": 1.0, "contraction.pulsation_probability": 1.0}
    recording = phantom(seed=0, **changes, **{"contraction.pulsation": 20e-6})
    source, weight = recording.labels.background_source, recording.labels.background_weight
    assert source.shape[0] == weight.shape[0] == 2
    soft = recording.provenance.get("softened", 1.0)
    assert np.sqrt(np.mean(source[0] ** 2)) == pytest.approx(soft * 1e-3, rel=0.05)
    assert np.abs(np.cumsum(source[1]) / recording.frame_rate).max() <= 45e-6
    assert np.abs(weight[1]).max() <= 1.01


def test_drift_and_pulsation_belong_to_part_of_the_subjects():
    changes = {**TINY, "grid.depth": 0.02, "grid.width": 0.02, "tissue.margin": 0.005, "contraction.beyond": 0.0}
    changes |= {"tissue.fat": (0.0, 0.005)}

    def patterns(subject, chance):
        both = {"contraction.drift_probability": chance, "contraction.pulsation_probability": chance}
        weight = phantom(seed=0, subject=subject, **changes, **both).labels.background_weight
        return 0 if weight is None else len(weight)

    assert (patterns(0, 0.0), patterns(0, 1.0)) == (0, 2)
    assert 5 <= sum(patterns(subject, 0.5) for subject in range(12)) <= 19


def test_units_beyond_the_image_are_background_and_none_of_a_given_activity():
    changes = {**TINY, "contraction.drift_probability": 0.0, "contraction.pulsation_probability": 0.0}
    labels = phantom(seed=0, **changes).labels
    # As many per area as in the image: 10 mm beside 40 mm on either side, and below.
    assert len(labels.background_source) == round(len(labels) * (60 * 50 / 40**2 - 1))
    truth = sum(w[None] * s[:, None, None] for w, s in zip(labels.weight, labels.source, strict=True))
    beyond = labels.velocity() - truth
    assert 0.1 < np.std(beyond) / np.std(truth) < 1.0
    activity = simulate(seed=0, **{"grid.frames": 40, "grid.rows": 32, "grid.columns": 32})
    assert phantom(activity=activity, **changes).labels.background_source is None


def test_bone_lies_in_part_of_the_subjects_at_a_random_depth_and_holds_still():
    settings = Tissue(bone_probability=0.4, bone_depth=(0.02, 0.035))
    tissues = [draw_tissue(settings, Grid(), np.random.default_rng(seed)) for seed in range(60)]
    bones = [tissue.stiffness[tissue.image] > 100 for tissue in tissues]
    with_bone = [bone for bone in bones if bone.any()]
    assert len(with_bone) / len(bones) == pytest.approx(0.4, abs=0.15)
    tops = [0.04 / 128 * np.flatnonzero(bone.any(1))[0] for bone in with_bone]  # its course varies by about a mm
    assert min(tops) < 0.024
    assert max(tops) > 0.031
    assert max(tops) < 0.040
    tissue, bone = next((tissue, bone) for tissue, bone in zip(tissues, bones, strict=True) if bone.sum() > 1000)
    swelling = tissue.muscle[tissue.image] & (np.arange(128)[:, None] < 64)
    moved = np.abs(tissue.displacement(0.01 * swelling[None])[0][0])
    assert moved[bone].std() < 0.1 * moved[~bone].std()


def log_variance_maps(subjects, **changes):
    """(subjects, 64, 32): log-variance maps of the true velocity, each with mean 0."""
    changes = {**TINY, "grid.frames": 128, "firing.units": (20, 20), **changes}
    for subject in range(subjects):
        maps = np.log(phantom(seed=7, subject=subject, **changes).labels.velocity().var(0))
        yield maps - maps.mean()


def test_the_lowest_millimetres_are_not_still_alike_in_all_subjects():
    # A band that all subjects share would have a mean far beyond the spread among them.
    maps = np.array(list(log_variance_maps(12)))
    lowest = maps[:, -6:].mean((1, 2))  # 4 mm
    assert abs(np.median(lowest)) < 1.0 * lowest.std()
    assert np.abs(maps.mean(0)).mean() / maps.std(0).mean() < 0.8
    # Without tissue and units beyond the image there is such a band, and this measure sees it:
    closed = {"tissue.margin": 0.0, "tissue.gel": 0.0, "contraction.beyond": 0.0, "tissue.bone_probability": 0.0}
    lowest = np.array(list(log_variance_maps(4, **closed)))[:, -6:].mean((1, 2))
    assert np.median(lowest) < -2.0 * lowest.std()


def test_subjects_move_in_more_than_a_single_pattern():
    ratios = []
    for subject in range(5):
        changes = {**TINY, "grid.frames": 256, "firing.units": PhantomSettings().firing.units}
        velocity = phantom(seed=7, subject=subject, **changes).labels.velocity()[200:].reshape(-1, 64 * 32)
        covariance = np.cov(velocity)  # of frames: its eigenvalues are those of the pixels' covariance
        ratios.append(np.trace(covariance) ** 2 / np.sum(covariance**2))
    assert 2.0 < np.median(ratios) < 4.5
    assert max(ratios) - min(ratios) > 0.3


def test_a_recording_survives_its_file(tmp_path):
    recording = phantom(seed=0, **TINY)
    read = Recording.load(recording.save(tmp_path / "sub-00_iq.h5"))
    assert np.array_equal(read.iq, recording.iq)
    assert (read.frame_rate, read.centre_frequency) == (recording.frame_rate, recording.centre_frequency)
    assert np.array_equal(read.labels.source, recording.labels.source)
    tiny = {"output.rows": 16, "output.columns": 16}
    a = acquire(recording, tiny, quiet=True, **{"conditioning.band": (50, 200)})
    b = acquire(tmp_path / "sub-00_iq.h5", tiny, quiet=True, **{"conditioning.band": (50, 200)})
    assert a.velocity.tobytes() == b.velocity.tobytes()


def test_motion_larger_than_the_imaging_model_holds_for_is_refused():
    with pytest.raises(InputError, match="displacements must stay under 125 um"):
        next(iter(scanned(np.linspace(0, 1e-3, 100), PATTERNS["rigid"]).blocks()))


def test_a_contraction_somewhat_too_strong_is_softened_and_says_so():
    def largest(recording):
        labels = recording.labels
        return float(np.abs(np.cumsum(labels.velocity(), axis=0)).max()) / recording.frame_rate

    still = {"contraction.drift": 0.0, "contraction.pulsation": 0.0}
    usual = phantom(seed=0, **TINY, **still)
    assert "softened" not in usual.provenance
    strain = PhantomSettings().contraction.eigenstrain
    factor = 3.0
    while True:  # as strong as it takes to pass the limit, which the least of units decides
        strong = phantom(seed=0, **TINY, **still, **{"contraction.eigenstrain": strain * factor})
        if "softened" in strong.provenance or factor > 1000:
            break
        factor *= 1.3
    softened = strong.provenance["softened"]
    assert 0.4 < softened < 1
    assert largest(strong) == pytest.approx(softened * factor * largest(usual), rel=0.02)
    np.testing.assert_allclose(
        strong.labels.twitch["eigenstrain"], softened * factor * usual.labels.twitch["eigenstrain"]
    )
    for _ in strong.blocks():  # and it can be imaged
        pass


def test_activity_of_another_extent_or_without_labels_is_refused():
    activity = simulate(seed=0, **{"grid.frames": 40, "grid.rows": 16, "grid.columns": 16, "grid.depth": 0.03})
    with pytest.raises(InputError, match="activity must cover 40 x 40 mm, got 30 x 40 mm"):
        phantom(activity=activity, **TINY)
    with pytest.raises(InputError, match="with labels"):
        phantom(activity=activity.replace(labels=None), **TINY)
