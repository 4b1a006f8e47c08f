"""The local generator and its one-sided training: what is promised of it, imposed and measured back."""

import warnings

import numpy as np
import pytest
import torch
from domains import domain, sequence, tiny

from myovivo.errors import InputError
from myovivo.models.local import LocalGenerator, initialise_local, local_reach
from myovivo.models.losses import content_loss, gradient_penalty, relativistic
from myovivo.models.onesided import OneSided
from myovivo.models.settings import LocalSettings as LocalSettings
from myovivo.models.settings import TrainSettings
from myovivo.models.windows import LOCAL_WINDOW
from myovivo.runs.weights import load_weights
from myovivo.runtime.settings import settings_from
from myovivo.runtime.tensors import read_tensors, write_tensors
from myovivo.sequences.blocks import save_blocks
from myovivo.sequences.header import OpenSequence, sequence_files
from myovivo.sequences.sequence import Sequence
from myovivo.signals.band_pass import band_pass
from myovivo.training.train import train
from myovivo.translation.translator import DomainWarning, Translator

HOUSE = {
    "method": "one-sided",
    "local.features": 8,
    "local.blocks": 2,
    "local.cell": 2,
    "local.filter": 9,
    "local.window": 3,
    "discriminator.variance_map": True,
    "discriminator.norm": "group",
    "discriminator.activation": "silu",
    "discriminator.pointwise": True,
    "discriminator.compressed": True,
    "loss.gan_form": "relativistic",
    "loss.steepness": 0.1,
}


def clip(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def network(*, moved=True, seed=0, **settings):
    """A small generator; `moved` gives what starts at zero some weight."""
    small = {"features": 8, "blocks": 3, "cell": 2, "filter": 9, "window": 3} | settings
    made = LocalGenerator(LocalSettings(**small))
    rng = torch.Generator().manual_seed(seed)
    initialise_local(made, rng)
    if moved:
        for parameter in made.parameters():
            parameter.data += 0.1 * torch.randn(parameter.shape, generator=rng)
    return made.eval()


def translated(made, x, seed=1):
    with torch.no_grad():
        return made(x, made.draw_noise(x, torch.Generator().manual_seed(seed)))


@pytest.mark.parametrize("cell", [1, 2, 4])
def test_untrained_it_is_the_identity_but_for_the_window_and_noise(cell):
    x, made = clip(2, 1, 6, 16, 24), network(moved=False, cell=cell, window=1)
    noise = made.draw_noise(x, torch.Generator())
    silent = noise._replace(frames=torch.zeros_like(noise.frames))
    with torch.no_grad():
        torch.testing.assert_close(made(x, silent), x, rtol=0, atol=1e-6)
        assert float((made(x, noise) - x).std()) == pytest.approx(np.exp(-3), rel=0.1)


def test_the_window_averages_by_the_strength_of_the_echo():
    """Where one half of the image gives all the echo, the other half shows that half's motion, edges included."""
    made = network(moved=False, window=5)
    u = torch.zeros(1, 1, 2, 8, 8)
    u[..., 4:] = 1
    equal = made.averaged(u, torch.ones(1, 1, 1, 8, 8)).detach()
    assert float(equal[0, 0, 0, 0, 3]) < 0.5 < float(equal[0, 0, 0, 0, 4])
    torch.testing.assert_close(equal, equal[..., :1, :].expand_as(equal))  # nothing is lost at the edges
    right = torch.where(torch.arange(8) < 4, 1e-4, 1.0).expand(1, 1, 1, 8, 8)
    assert float(made.averaged(u, right).detach()[0, 0, 0, 0, 2]) > 0.99


def test_a_frame_reaches_just_as_far_as_said():
    made, x = network(), clip(1, 1, 40, 8, 8)
    noise = made.draw_noise(x, torch.Generator().manual_seed(0))
    changed = x.clone()
    changed[:, :, 20] += 1
    with torch.no_grad():
        difference = (made(changed, noise) - made(x, noise)).abs().amax((0, 1, 3, 4))
    frames = torch.nonzero(difference > 0).flatten()
    assert (int(frames.min()), int(frames.max())) == (20 - local_reach(made.settings), 20 + local_reach(made.settings))


def test_the_filter_has_no_lag_whatever_its_weights():
    made = network(moved=False)
    made.filter.data = torch.randn(5, generator=torch.Generator().manual_seed(3))
    pulse = torch.zeros(1, 1, 41, 2, 2)
    pulse[:, :, 20] = 1
    response = made.filtered(pulse)[0, 0, :, 0, 0]
    torch.testing.assert_close(response, response.flip(0))


def test_the_filter_starts_at_what_turns_one_spectrum_into_the_other():
    """Tones of 16 and 128 Hz at 512 Hz, of which the other domain has the slow one only."""
    time = torch.arange(64) / 512
    phases = 2 * torch.pi * torch.rand(40, generator=torch.Generator().manual_seed(0))[:, None, None, None]
    slow = torch.sin(2 * torch.pi * 16 * time[:, None, None] + phases).expand(-1, -1, 4, 4)
    fast = torch.sin(2 * torch.pi * 128 * time[:, None, None] + 2 * phases).expand(-1, -1, 4, 4)
    noise = 0.01 * clip(40, 64, 4, 4)
    made = network(moved=False, filter=65)
    made.match_spectra(slow + fast + noise, slow + noise)
    after = made.filtered((slow + fast)[:, None])[:, 0, 24:40]
    torch.testing.assert_close(after, slow[:, 24:40], atol=0.15, rtol=0)


def test_settled_it_has_the_spectrum_and_level_of_the_other_domain_whatever_the_filter_was():
    """Tones of 16 and 128 Hz against a slow one twice as strong: the fast one goes, the slow one doubles."""
    model = OneSided(settings_from(TrainSettings, "house", **{"local.features": 8, "local.blocks": 1, "local.cell": 2}))
    time = torch.arange(64)[:, None, None] / 512
    phases = 2 * torch.pi * torch.rand(16, generator=torch.Generator().manual_seed(0))[:, None, None, None]
    slow = torch.sin(2 * torch.pi * 16 * time + phases).expand(-1, -1, 8, 8)[:, None]
    fast = torch.sin(2 * torch.pi * 128 * time + 2 * phases).expand(-1, -1, 8, 8)[:, None]
    torch.nn.init.normal_(model.silico_to_vivo.filter, 0.0, 0.1, generator=torch.Generator().manual_seed(1))
    before = model.silico_to_vivo.filter.clone()
    once = model.settled(model.generators, slow + fast, 2 * slow, seed=0)
    twice = model.settled(once, slow + fast, 2 * slow, seed=0)
    torch.testing.assert_close(twice["silico_to_vivo"].filter, once["silico_to_vivo"].filter)
    assert torch.equal(model.silico_to_vivo.filter, before)  # a copy was settled
    made = once["silico_to_vivo"].filtered(slow + fast)
    ratio = made.std() / (2 * slow).std()
    assert 0.8 < ratio < 1.25  # the generator adds a little noise of its own
    correlation = torch.corrcoef(torch.stack([made[:, :, 16:48].flatten(), slow[:, :, 16:48].flatten()]))[0, 1]
    assert correlation > 0.97


def test_noise_of_a_frame_depends_on_nothing_but_its_number(tmp_path):
    made = network()
    drawn = [made.draw_frames(count, 8, 8, torch.Generator().manual_seed(5)) for count in (3, 7)]
    torch.testing.assert_close(drawn[0], drawn[1][:, :3], rtol=0, atol=0)


def test_noise_is_one_per_clip_of_a_batch():
    made, x = network(), clip(2, 1, 4, 8, 8)
    rngs = [torch.Generator().manual_seed(seed) for seed in (7, 8)]
    together = made.draw_noise(x, rngs)
    alone = made.draw_noise(x[1:], torch.Generator().manual_seed(8))
    torch.testing.assert_close(together.tissue[1:], alone.tissue, rtol=0, atol=0)
    torch.testing.assert_close(together.frames[1:], alone.frames, rtol=0, atol=0)


def test_the_tissue_stands_still_and_differs_between_seeds():
    made, x = network(), torch.ones(1, 1, 30, 8, 8)
    made.maps.bias.data[1] = -50  # no noise of the frames
    first, second = translated(made, x, 1), translated(made, x, 2)
    middle = first[:, :, 15:16]
    torch.testing.assert_close(first[:, :, 12:18], middle.expand(-1, -1, 6, -1, -1), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(first, second)


def test_content_loss_is_blind_to_gain_and_sees_time():
    x = clip(1, 1, 64, 4, 4)
    gain = torch.rand(1, 1, 1, 4, 4, generator=torch.Generator().manual_seed(1)) + 0.5
    assert content_loss(x, 3 * gain * x + 2) == pytest.approx(0, abs=1e-3)
    assert content_loss(x, -x) == pytest.approx(2, abs=1e-3)
    assert float(content_loss(x, x.roll(1, 2))) > 0.9
    noisy = x + clip(1, 1, 64, 4, 4, seed=2)
    assert float(content_loss(x, noisy)) == pytest.approx(1 - 2**-0.5, abs=0.05)
    assert float(content_loss(x, noisy, enough=0.5)) < 0.02


def test_relativistic_losses_by_hand():
    ahead, behind = torch.tensor([2.0]), torch.tensor([0.0])
    assert float(relativistic(ahead, behind)) == pytest.approx(np.log1p(np.exp(-2)))
    assert float(relativistic(behind, ahead)) == pytest.approx(np.log1p(np.exp(2)))


def test_gradient_penalty_of_a_known_slope():
    x = clip(1, 1, 4, 4).requires_grad_()
    scores = 3 * x.mean() + 0 * x.square()  # slope 3/16 in each of 16 places
    assert float(gradient_penalty(x, scores).detach()) == pytest.approx(9)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("house")
    silico, vivo = domain(folder / "silico", "silico"), domain(folder / "vivo", "phantom", per_subject=2)
    return train(tiny(**HOUSE), silico, vivo, folder / "run", quiet=True)


@pytest.mark.parametrize("frames", [1, 16, 64])
def test_windows_are_the_whole(run, frames):
    translator, source = Translator.load(run), sequence(shape=(150, 16, 18))
    whole, windows = translator(source, seed=4, frames_at_once=150), translator(source, seed=4, frames_at_once=frames)
    scale = translator.weights.standards["vivo"].std
    np.testing.assert_allclose(windows.velocity / scale, whole.velocity / scale, atol=1e-4)
    assert whole.shape == (150, 16, 18)


def test_from_file_to_file_it_is_the_same(run, tmp_path):
    translator, source = Translator.load(run), sequence(shape=(150, 16, 16))
    path = source.save(tmp_path / "source.h5")
    there = Sequence.load(translator.file(path, tmp_path / "out.h5", seed=(1, 2)))
    here = translator(source, seed=(1, 2))
    np.testing.assert_array_equal(there.velocity, here.velocity)
    assert there.provenance == here.provenance
    assert there.subject == here.subject
    np.testing.assert_array_equal(there.labels.mask, here.labels.mask)


def test_a_file_of_any_length_takes_the_same_memory(run, tmp_path, monkeypatch):
    """Never more frames are read at once than one window needs."""
    long = [np.full((500, 16, 16), 1e-3 * np.sin(k), np.float32) for k in range(4)]
    path = save_blocks(tmp_path / "long.h5", iter(long), (16, 16), 512.0, (0.001, 0.0005), lambda: {"origin": "silico"})
    asked, real = [], OpenSequence.velocity

    def velocity(self, low, high):
        asked.append(high - low)
        return real(self, low, high)

    monkeypatch.setattr(OpenSequence, "velocity", velocity)
    translator = Translator.load(run)
    assert Sequence.load(translator.file(path, tmp_path / "out.h5")).shape == (2000, 16, 16)
    assert max(asked) <= LOCAL_WINDOW + 2 * local_reach(translator.weights.settings.local)


@pytest.fixture(scope="module")
def banded(tmp_path_factory):
    """Of a vivo domain whose recordings were band-passed when they were acquired."""
    folder = tmp_path_factory.mktemp("banded")
    silico, vivo = domain(folder / "silico", "silico"), domain(folder / "vivo", "phantom", per_subject=2)
    acquired = {"stage": "acquire", "settings": {"conditioning": {"band": [20.0, 60.0], "order": 4}}}
    for path in sequence_files(vivo):
        Sequence.load(path).replace(provenance=acquired).save(path)
    return train(tiny(**HOUSE), silico, vivo, folder / "run", quiet=True)


def test_a_translation_is_band_passed_as_the_recordings_of_its_domain_are(banded, run, tmp_path):
    translator, source = Translator.load(banded), sequence(shape=(600, 16, 16))
    made = translator(source, seed=4)
    assert made.provenance["band"] == [20.0, 60.0]
    assert Translator.load(run)(sequence(), seed=4).provenance["band"] is None  # recordings that were not
    translator.band = None
    by_hand = band_pass(translator(source, seed=4).velocity, 512.0, (20.0, 60.0))
    np.testing.assert_allclose(made.velocity, by_hand, atol=1e-5 * by_hand.std())

    path = source.save(tmp_path / "source.h5")
    windows = Sequence.load(Translator.load(banded).file(path, tmp_path / "out.h5", 4, frames_at_once=50))
    np.testing.assert_allclose(windows.velocity, made.velocity, atol=1e-4 * made.velocity.std())


def test_a_steady_velocity_that_the_network_adds_is_gone(banded):
    """By depth and alike in every sequence, as a network may well learn it: half an SD of the domain."""
    translator, source = Translator.load(banded), sequence(shape=(600, 16, 16))
    means = []
    for steady in (0.0, 0.5):
        with torch.no_grad():
            translator.generator.last.bias[1] += steady
        made = translator(source, seed=4)
        means.append(made.velocity.mean(0) / translator.weights.standards["vivo"].std)
    assert np.abs(means[1] - means[0]).max() < 1e-3


def test_the_paper_s_translators_keep_their_band(tmp_path, banded):
    weights = load_weights(banded)
    assert weights.band_towards("vivo") == (20.0, 60.0, 4)
    assert weights.band_towards("silico") is None
    assert weights._replace(settings=tiny()).band_towards("vivo") is None


def test_what_lies_outside_the_training_is_warned_of(banded, tmp_path):
    translator, source = Translator.load(banded), sequence(shape=(100, 16, 16))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        translator(source)
    strong = source.replace(velocity=4 * source.velocity)
    with pytest.warns(DomainWarning, match="has an SD of .* mm/s .*they had .*: outside what .* was trained on"):
        translator(strong, frames_at_once=16)
    path = strong.save(tmp_path / "strong.h5")
    with pytest.warns(DomainWarning, match="strong.h5 has an SD of"):
        translator.file(path, tmp_path / "out.h5")


def test_weights_without_traits_are_still_read(banded, tmp_path):
    tensors, note = read_tensors(banded / "weights.safetensors", "weights")
    about = {name: value for name, value in note.items() if name not in ("traits", "format", "format_version")}
    write_tensors(tmp_path / "old.safetensors", "weights", tensors, about)
    old = Translator.load(tmp_path / "old.safetensors")
    assert old.band is None
    assert old(sequence(seed=9).replace(velocity=9 * sequence().velocity)).provenance["band"] is None


def test_the_way_back_is_refused(run):
    with pytest.raises(InputError, match="knows only silico_to_vivo"):
        Translator.load(run, "vivo_to_silico")


def test_a_gain_is_learnt(tmp_path):
    """The vivo domain is nine times stronger in the depth than near the probe: some steps find that out."""
    silico, vivo = domain(tmp_path / "silico", "silico", count=8), domain(tmp_path / "vivo", "phantom", count=8)
    settings = tiny(**(HOUSE | {"optimiser.steps": 60, "optimiser.learning_rate": 0.01, "optimiser.image_pool": 0}))
    translator = Translator.load(train(settings, silico, vivo, tmp_path / "run", quiet=True))
    source = sequence(seed=50)
    before, after = (np.log(each.velocity.var(0)).mean(1) for each in (source, translator(source)))
    assert np.corrcoef(np.arange(16), after - before)[0, 1] > 0.6


def test_losses_and_judges_follow_the_switches():
    x, rng = clip(1, 1, 8, 16, 16), torch.Generator()
    model = OneSided(tiny(**HOUSE))
    losses, shown = model.generator_losses(x, x, rng)
    assert set(losses) == {"gan_vivo", "gan_vivo_map", "content"}
    judged = model.judge_losses(x, x, {name: clips.detach() for name, clips in shown.items()})
    assert set(judged) == {"judge_vivo", "judge_vivo_map", "steepness"}
    plain = tiny(**(HOUSE | {"loss.steepness": 0, "loss.content": 0, "discriminator.variance_map": False}))
    model = OneSided(plain)
    losses, shown = model.generator_losses(x, x, rng)
    assert set(losses) == {"gan_vivo"}
    assert set(model.judge_losses(x, x, shown)) == {"judge_vivo"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"local.filter": 8}, "filter must be odd to have a middle, got 8; try 9"),
        ({"local.window": 4}, "window must be odd to have a middle, got 4; try 5"),
        ({"local.cell": 3}, "local.cell"),
    ],
)
def test_settings_that_cannot_be(changes, message):
    with pytest.raises(InputError, match=message):
        settings_from(TrainSettings, "house", **changes)
