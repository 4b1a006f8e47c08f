"""Recycle-GAN and the sizes of the family: each term worked out by hand, and what it learns."""

import pytest
import torch
from domains import domain, sequence, tiny
from torch import nn

from myovivo.errors import InputError
from myovivo.models.cyclegan import check_clip, weighted_sum
from myovivo.models.method import translation_model
from myovivo.models.presets import TRAIN_PRESETS
from myovivo.models.recyclegan import RecycleGAN
from myovivo.models.settings import TrainSettings
from myovivo.models.sizes import parameter_counts
from myovivo.runtime.settings import settings_from
from myovivo.training.train import train
from myovivo.translation.translator import Translator

FLAT = {"generator.dimensions": 2, "generator.noise": False}
RECYCLE = FLAT | {
    "method": "recycle",
    "data.clip": (3, 16, 16),
    "loss.identity_silico": 0,
    "loss.identity_vivo": 0,
}


def clip(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


class Scaled(nn.Module):
    """A network that multiplies by a number: its losses can be worked out by hand."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def draw_noise(self, x, rng):
        return None

    def forward(self, x, noise=None):
        return self.factor * x


class Extrapolated(nn.Module):
    """Predicts a straight line: 2 x1 - x0."""

    def forward(self, x):
        return 2 * x[:, 1:] - x[:, :1]


class Total(nn.Module):
    """A judge whose score is the first pixel."""

    def forward(self, x):
        return x[..., :1, :1]


@pytest.fixture
def by_hand():
    model = RecycleGAN(tiny(**RECYCLE))
    known = {"silico_to_vivo": Scaled(2.0), "vivo_to_silico": Scaled(3.0)}
    known |= {f"{domain}_predictor": Extrapolated() for domain in ("silico", "vivo")}
    known |= {f"{domain}_judge": Total() for domain in ("silico", "vivo")}
    for name, network in known.items():
        setattr(model, name, network)
    return model


def frames(*values):
    """A clip (1, 1, 3, 4, 4) of flat frames."""
    return torch.tensor(values)[None, None, :, None, None].expand(1, 1, -1, 4, 4)


def test_every_term_against_numbers_worked_out_by_hand(by_hand):
    silico, vivo = frames(1.0, 2.0, 5.0), frames(0.0, 1.0, 1.0)
    losses, translated = by_hand.generator_losses(silico, vivo, torch.Generator())
    # silico -> vivo: 2, 4, predicted 6, and from the real frames 3; vivo -> silico: 0, 3, predicted 6, and 2
    torch.testing.assert_close(translated["vivo"][0, 0, :, 0, 0], torch.tensor([2.0, 4.0, 6.0, 2.0]))
    torch.testing.assert_close(translated["silico"][0, 0, :, 0, 0], torch.tensor([0.0, 3.0, 6.0, 3.0]))
    expected = {
        "gan_vivo": 1 + 9 + 25,
        "gan_silico": 1 + 4 + 25,
        "recycle_silico": abs(3 * 6 - 5),
        "recycle_vivo": abs(2 * 6 - 1),
        "recurrent_silico": abs(3 - 5),
        "recurrent_vivo": abs(2 - 1),
    }
    assert {name: float(value) for name, value in losses.items()} == pytest.approx(expected)
    weights = by_hand.settings.loss
    total = expected["gan_vivo"] + expected["gan_silico"] + 10 * (13 + 11) + 10 * (2 + 1)
    assert float(weighted_sum(losses, weights)) == pytest.approx(total)


def test_judges_compare_frames_of_the_same_number_and_both_predictions_with_the_third(by_hand):
    silico, vivo = frames(1.0, 1.0, 1.0), frames(1.0, 2.0, 4.0)
    shown = {"vivo": frames(0.0, 0.0, 0.0, 3.0), "silico": frames(0.0, 0.0, 0.0, 0.0)}
    losses = by_hand.judge_losses(silico, vivo, shown)
    assert float(losses["judge_vivo"]) == pytest.approx(0 + 1 + 9 + (9 + 9))
    assert float(losses["judge_silico"]) == 0


def test_terms_of_weight_zero_are_left_out_and_identity_can_be_switched_on(by_hand):
    x = frames(1.0, 2.0, 3.0)
    off = {"loss.gan": 0, "loss.recycle": 0, "loss.recurrent": 0}
    by_hand.settings = tiny(**(RECYCLE | off | {"loss.identity_silico": 5, "loss.identity_vivo": 1}))
    losses, _ = by_hand.generator_losses(x, x, torch.Generator())
    assert set(losses) == {"identity_silico", "identity_vivo"}
    assert float(losses["identity_silico"]) == pytest.approx(2 * (1 + 2 + 3))  # 3 x - x, summed over the frames
    assert float(losses["identity_vivo"]) == pytest.approx(1 + 4 + 9)  # 2 x - x, squared
    assert float(weighted_sum(losses, by_hand.settings.loss)) == pytest.approx(5 * 12 + 14)


def test_frames_of_a_batch_are_translated_and_judged_as_if_alone():
    """And with the noise of their clip."""
    model = RecycleGAN(tiny(**(RECYCLE | {"generator.noise": True, "loss.identity_vivo": 1})))
    nn.init.ones_(model.silico_to_vivo.get_parameter("blocks.0.noise_scale"))
    silico, vivo = clip(2, 1, 3, 16, 16), clip(2, 1, 3, 16, 16, seed=1)
    with torch.no_grad():
        losses, translated = model.generator_losses(silico, vivo, [torch.Generator().manual_seed(k) for k in (0, 1)])
        judged = model.judge_losses(silico, vivo, translated)
        as_vivo = translated["vivo"]
        noise = [model.silico_to_vivo.draw_noise(silico[:1, :, 0], torch.Generator().manual_seed(k)) for k in (0, 1)]
        for number, one in enumerate(noise):
            for frame in (0, 1):
                alone = model.silico_to_vivo(silico[number : number + 1, :, frame], one)
                torch.testing.assert_close(as_vivo[number : number + 1, :, frame], alone)
        predicted = model.vivo_predictor(torch.cat([as_vivo[:, :, 0], as_vivo[:, :, 1]], 1))
        torch.testing.assert_close(as_vivo[:, :, 2], predicted)
        guess = model.vivo_predictor(torch.cat([vivo[:, :, 0], vivo[:, :, 1]], 1))
        torch.testing.assert_close(as_vivo[:, :, 3], guess)
        real, made = ([model.vivo_judge(x[:, :, k]) for k in range(x.shape[2])] for x in (vivo, as_vivo))
        assert float(losses["gan_vivo"]) == pytest.approx(sum(float((one - 1).square().mean()) for one in made[:3]))
        pairs = zip([*real, real[2]], made, strict=True)
        expected = sum(float((a - 1).square().mean() + b.square().mean()) for a, b in pairs)
        assert float(judged["judge_vivo"]) == pytest.approx(expected)


def test_predictors_take_two_frames_and_no_noise():
    model = RecycleGAN(tiny(**(RECYCLE | {"generator.noise": True})))
    for predictor in (model.silico_predictor, model.vivo_predictor):
        assert predictor.draw_noise(clip(1, 2, 16, 16), torch.Generator()) is None
        assert predictor(clip(1, 2, 16, 16)).shape == (1, 1, 16, 16)
    assert model.silico_to_vivo.noisy
    assert not model.vivo_to_silico.noisy


def test_gan_terms_reach_the_predictor_of_the_target_domain_only():
    model, x = RecycleGAN(tiny(**RECYCLE)), clip(1, 1, 3, 16, 16)
    losses, _ = model.generator_losses(x, x, torch.Generator())
    losses["gan_vivo"].backward()
    assert any(p.grad is not None and p.grad.abs().max() > 0 for p in model.vivo_predictor.parameters())
    assert all(p.grad is None for p in model.silico_predictor.parameters())


def test_the_predictors_learn_to_go_on_in_a_straight_line():
    alone = {"loss.gan": 0, "loss.recycle": 0}
    model = RecycleGAN(tiny(**(RECYCLE | alone | {"generator.features": 16, "generator.tanh": False})), seed=1)
    optimiser = torch.optim.Adam(model.generators.parameters(), 3e-3)
    found = []
    for step in range(60):
        ends = torch.nn.functional.interpolate(clip(2, 2, 4, 4, seed=step), (16, 16), mode="bilinear")[:, None]
        x = torch.cat([ends, 2 * ends[:, :, 1:] - ends[:, :, :1]], 2)
        losses, _ = model.generator_losses(x, x.flip(0), torch.Generator())
        assert set(losses) == {"recurrent_silico", "recurrent_vivo"}
        optimiser.zero_grad()
        weighted_sum(losses, model.settings.loss).backward()
        optimiser.step()
        found.append(losses["recurrent_silico"].item())
    assert sum(found[-5:]) < 0.7 * sum(found[:5])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data.clip": (4, 16, 16)}, r"must have 3 frames for Recycle-GAN; try \(3, 16, 16\)"),
        ({"generator.dimensions": 3}, "set generator.dimensions to 2"),
        ({"data.clip": (3, 18, 17)}, r"must be divisible by .*; try \(3, 20, 20\)"),
        ({"data.clip": (3, 4, 4), "discriminator.layers": 3}, "must be at least"),
    ],
)
def test_clips_that_recycle_gan_cannot_take(changes, message):
    with pytest.raises(InputError, match=message):
        check_clip(tiny(**(RECYCLE | changes)))


@pytest.mark.parametrize("method", [RECYCLE, FLAT | {"data.clip": (1, 16, 16)}])
def test_two_dimensional_models_train_resume_and_translate(method, tmp_path):
    silico, vivo = domain(tmp_path / "silico", "silico"), domain(tmp_path / "vivo", "phantom", per_subject=2)
    whole = train(tiny(**method), silico, vivo, tmp_path / "whole", quiet=True)
    train(tiny(**(method | {"optimiser.steps": 2})), silico, vivo, tmp_path / "run", quiet=True)
    run = train(tiny(**method), silico, vivo, tmp_path / "run", quiet=True)
    assert (run / "weights.safetensors").read_bytes() == (whole / "weights.safetensors").read_bytes()
    source = sequence(shape=(5, 16, 16))
    there = Translator.load(run)(source)
    assert there.shape == source.shape
    alone = Translator.load(run)(source.replace(velocity=source.velocity[2:3], labels=None))
    torch.testing.assert_close(torch.from_numpy(there.velocity[2:3]), torch.from_numpy(alone.velocity))


PAPER_2D = {
    "silico_to_vivo": 7_825_153,
    "vivo_to_silico": 7_825_153,
    "vivo_judge": 2_762_689,
    "silico_judge": 2_762_689,
}
PAPER_3D = {
    "silico_to_vivo": 5_885_185,
    "vivo_to_silico": 5_885_185,
    "vivo_judge": 11_047_873,
    "silico_judge": 11_047_873,
}


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("paper-2d", PAPER_2D),
        ("paper-recycle", PAPER_2D | {"silico_predictor": 7_828_289, "vivo_predictor": 7_828_289}),
        ("paper-3d", PAPER_3D),
        ("paper-3d-stride1", PAPER_3D),
        ("paper-3d-noise", PAPER_3D | {"silico_to_vivo": 5_885_185 + 1_536}),
    ],
)
def test_networks_have_the_paper_s_number_of_parameters(preset, expected):
    settings = settings_from(TrainSettings, preset)
    assert parameter_counts(settings) == expected
    assert sum(parameter_counts(settings).values()) == sum(expected.values())


@pytest.mark.parametrize("preset", [name for name in TRAIN_PRESETS if name != "house"])
def test_every_preset_loses_on_clips_of_its_own_size(preset):
    """On the meta device, which computes shapes only; `house` switches autocast off, which that device cannot."""
    settings = settings_from(TrainSettings, preset)
    model, x = translation_model(settings).to("meta"), torch.empty(1, 1, *settings.data.clip, device="meta")
    losses, translated = model.generator_losses(x, x, torch.Generator())
    assert set(translated) == set(model.judged)
    losses |= model.judge_losses(x, x, translated)
    assert {"gan_vivo", "judge_vivo"} <= set(losses)
    assert weighted_sum(losses, settings.loss).shape == ()
