"""The tissue phantom: mechanics against analytic cases, imaging against imposed motion."""

import numpy as np
import pytest
from scipy.fft import dctn, idctn

from myovivo.acquisition.acquire import acquire
from myovivo.acquisition.settings import Velocity
from myovivo.acquisition.velocity import autocorrelation_velocity
from myovivo.errors import InputError
from myovivo.phantoms.elasticity import Boundary, ElasticSlice
from myovivo.phantoms.imaging import Scanner
from myovivo.phantoms.phantom import phantom, phantom_domain
from myovivo.phantoms.settings import Imaging, PhantomSettings
from myovivo.runtime.settings import settings_from
from myovivo.sequences.grid import Grid
from myovivo.sequences.recording import Recording
from myovivo.sequences.sequence import Sequence
from myovivo.simulation.simulate import simulate

BOX = Boundary("roller", "roller", "roller", "roller")
TINY = {"grid.frames": 40, "imaging.rows": 64, "imaging.columns": 32, "grid.rows": 16, "grid.columns": 16}


# ------------------------------------------------------------------------------------ elasticity


def test_swelling_layers_between_rollers_solve_the_one_dimensional_problem_exactly():
    rows, spacing, poisson = 24, (0.5e-3, 0.7e-3), 0.49
    young = np.repeat([1.0, 5.0, 0.3, 2.0], rows // 4)
    strain = np.repeat([0.0, 0.01, 0.0, 0.004], rows // 4)
    slice_ = ElasticSlice(np.tile(young[:, None], (1, 10)), spacing, poisson, BOX)
    downward, lateral = slice_.displacement(np.tile(strain[None, :, None], (1, 1, 10)))
    # Stress is constant in depth and the layers' thickness changes add up to nothing.
    lame, shear = young * poisson / ((1 + poisson) * (1 - 2 * poisson)), young / (2 * (1 + poisson))
    modulus, blocked = lame + 2 * shear, 2 * (lame + shear) * strain
    stress = -np.sum(blocked / modulus) / np.sum(1 / modulus)
    stretch = (stress + blocked) / modulus * spacing[0]
    expected = np.cumsum(stretch) - stretch / 2
    assert np.allclose(downward[0], expected[:, None], atol=1e-12)
    assert np.allclose(lateral, 0, atol=1e-12)


@pytest.mark.parametrize("poisson", [0.3, 0.45, 0.49])
def test_a_swelling_disc_in_a_box_matches_the_potential_solution(poisson):
    # In homogeneous tissue u = grad(phi), (lambda + 2 mu) laplace(phi) = 2 (lambda + mu) e + constant,
    # and rollers make phi even across each side: a cosine series solves it.
    n, step = 96, 0.4e-3
    z, x = (np.indices((n, n)) + 0.5) * step
    eigenstrain = 0.01 / (1 + np.exp((np.hypot(z - 0.016, x - 0.022) - 0.005) / (1.5 * step)))  # a soft-edged disc
    lame, shear = poisson / ((1 + poisson) * (1 - 2 * poisson)), 1 / (2 * (1 + poisson))
    source = dctn(2 * (lame + shear) / (lame + 2 * shear) * eigenstrain, norm="ortho")
    k = np.pi * np.arange(n) / (n * step)
    k2 = k[:, None] ** 2 + k[None, :] ** 2
    k2[0, 0] = 1.0
    source[0, 0] = 0.0
    phi = idctn(-source / k2, norm="ortho")
    expected = np.gradient(phi, step)
    found = ElasticSlice(np.ones((n, n)), (step, step), poisson, BOX).displacement(eigenstrain[None])
    inner = (slice(2, -2), slice(2, -2))
    scale = np.abs(expected[0]).max()
    for a, b in zip(found, expected, strict=True):
        assert np.abs(a[0] - b)[inner].max() < 0.02 * scale


def test_nearly_incompressible_tissue_does_not_lock_and_keeps_its_area():
    # Far from everything, a disc of in-plane strain e in incompressible tissue moves its rim by e R and the
    # tissue at r by e R^2 / r: what it gains in area passes through every circle.
    n, step, radius = 160, 0.5e-3, 0.006
    z, x = (np.indices((n, n)) + 0.5) * step - n * step / 2
    r = np.hypot(z, x)
    free = Boundary("free", "free", "free", "free")
    free = free._replace(
        bottom="roller", left="roller"
    )  # a quarter turn of symmetry is not needed, only no rigid motion
    slice_ = ElasticSlice(np.ones((n, n)), (step, step), 0.499, free)
    down, right = slice_.displacement(0.01 * (r <= radius)[None].astype(float))
    down, right = down[0] - down[0][n // 2, n // 2], right[0] - right[0][n // 2, n // 2]
    ring = (r > 1.5 * radius) & (r < 2 * radius)
    radial = (down * z + right * x) / r
    assert np.mean((radial * r)[ring]) == pytest.approx(0.01 * radius**2, rel=0.05)


def test_stiffness_must_be_positive():
    with pytest.raises(InputError, match="stiffness must be positive"):
        ElasticSlice(np.zeros((4, 4)), (1e-3, 1e-3), 0.45)


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
    recording = phantom(
        seed=0, **{**TINY, "grid.frames": 512, "contraction.drift": 1e-3, "contraction.pulsation": 20e-6}
    )
    source, weight = recording.labels.background_source, recording.labels.background_weight
    assert source.shape[0] == weight.shape[0] == 2
    assert np.sqrt(np.mean(source[0] ** 2)) == pytest.approx(1e-3, rel=0.05)
    assert np.abs(np.cumsum(source[1]) / recording.frame_rate).max() <= 45e-6
    assert np.abs(weight[1]).max() <= 1.01


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

    usual = phantom(seed=0, **TINY)
    assert "softened" not in usual.provenance
    factor = 1.5
    while True:  # as strong as it takes to pass the limit, which the least of units decides
        strong = phantom(seed=0, **TINY, **{"contraction.eigenstrain": 0.003 * factor})
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
