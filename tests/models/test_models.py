"""Networks and losses: known counts, known gradients, and every switch doing what it says."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from myovivo.errors import InputError
from myovivo.models.cyclegan import CycleGAN, check_clip, weighted_sum
from myovivo.models.discriminators import PatchDiscriminator, smallest, strides
from myovivo.models.generators import ResnetGenerator, clip_stride, initialise, reach
from myovivo.models.layers import GroupNorm, InstanceNorm, PaddedConv, VoxelNorm, fold_pixels
from myovivo.models.local import LocalGenerator, spread_weights
from myovivo.models.losses import cycle_loss, discriminator_loss, identity_loss, least_squares
from myovivo.models.method import translation_model
from myovivo.models.pools import ImagePool
from myovivo.models.presets import TRAIN_PRESETS
from myovivo.models.settings import Discriminator, Generator, Loss, TrainSettings
from myovivo.runtime.settings import settings_from

TINY = {"features": 4, "blocks": 1, "temporal_stride": 1}


def generator(*, seed=0, local=False, **settings):
    """A tiny generator; `local` takes the norms out, which see all frames, so that reach can be measured."""
    network = ResnetGenerator(Generator(**(TINY | settings)))
    initialise(network, torch.Generator().manual_seed(seed))
    if local:
        for module in network.modules():
            if hasattr(module, "norm"):
                module.norm = torch.nn.Identity()
        for parameter in network.parameters():
            parameter.data *= 10
    return network.eval()


def clip(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"dimensions": 2, "features": 64}, 7_825_153),
        ({"dimensions": 3, "features": 64}, 23_493_121),
        ({"dimensions": 3, "features": 32}, 5_885_185),
        ({"dimensions": 3, "features": 32, "temporal_stride": 1}, 5_885_185),
        ({"dimensions": 3, "features": 32, "noise": True}, 5_885_185 + 1_536),
    ],
)
def test_generator_has_the_paper_s_number_of_parameters(settings, expected):
    with torch.device("meta"):
        assert parameters(ResnetGenerator(Generator(**settings))) == expected


@pytest.mark.parametrize(("dimensions", "expected"), [(2, 2_762_689), (3, 11_047_873)])
def test_discriminator_has_the_paper_s_number_of_parameters(dimensions, expected):
    with torch.device("meta"):
        assert parameters(PatchDiscriminator(Discriminator(), dimensions)) == expected


def test_instance_norm_has_the_gradient_of_its_equation_even_with_channels_last_upstream():
    x = clip(1, 6, 5, 4, 4).requires_grad_()
    upstream = clip(1, 6, 5, 4, 4, seed=1).to(memory_format=torch.channels_last_3d)
    axes = (2, 3, 4)
    by_hand = (x - x.mean(axes, keepdim=True)) / (x.var(axes, keepdim=True, correction=0) + 1e-5).sqrt()
    (expected,) = torch.autograd.grad(by_hand, x, upstream)
    (found,) = torch.autograd.grad(InstanceNorm()(x), x, upstream)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(InstanceNorm()(x), by_hand)


@pytest.mark.parametrize("norm", [InstanceNorm(), VoxelNorm()])
def test_norms_compute_in_float32(norm):
    x = 100 + clip(1, 4, 8, 8, 8).bfloat16()  # in bfloat16 the mean alone would cost all digits
    torch.testing.assert_close(norm(x), norm(x.float()).bfloat16(), rtol=0, atol=0)
    assert norm(x).dtype == torch.bfloat16


def test_bfloat16_gradients_of_the_discriminator_are_those_of_float32_on_32_frames():
    """Its last layer sees 3 frames with a kernel of 4, where a convolution that pads by itself goes wrong."""
    network, x = PatchDiscriminator(Discriminator(features=8), 3), clip(1, 1, 32, 32, 32)
    initialise(network, torch.Generator().manual_seed(0))
    found = []
    for half in (False, True, True):
        network.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            least_squares(network(x), 1.0).backward()
        found.append([conv.conv.weight.grad.clone() for conv in network.convs])
    for exact, half, again in zip(*found, strict=True):
        assert torch.equal(half, again)
        assert F.cosine_similarity(exact.flatten(), half.flatten(), 0) > 0.98
        assert 0.9 < float(half.norm() / exact.norm()) < 1.1


def test_voxel_norm_gives_every_voxel_unit_rms():
    y = VoxelNorm()(7 * clip(2, 5, 3, 4, 4))
    torch.testing.assert_close(y.square().mean(1), torch.ones(2, 3, 4, 4), rtol=1e-4, atol=0)


@pytest.mark.parametrize("stride", [(1, 2, 2), (2, 2, 2), (4, 1, 2)])
def test_folding_pixels_loses_none(stride):
    x = clip(2, 3, 8, 8, 8)
    folded = fold_pixels(x, stride)
    assert folded.shape == (2, 3 * np.prod(stride), *(8 // step for step in stride))
    torch.testing.assert_close(folded[0, 0], x[0, 0, :: stride[0], :: stride[1], :: stride[2]], rtol=0, atol=0)
    torch.testing.assert_close(folded.flatten().sort()[0], x.flatten().sort()[0], rtol=0, atol=0)


def test_folding_in_the_plane_is_torch_s_pixel_shuffle():
    x = clip(2, 3, 8, 8)
    torch.testing.assert_close(fold_pixels(x, (2, 2)), F.pixel_unshuffle(x, 2), rtol=0, atol=0)


def test_tanh_bounds_the_output_and_without_it_there_is_no_bound():
    x = clip(1, 1, 8, 16, 16)
    squashed, free = generator(tanh=True), generator(tanh=False)
    for network in (squashed, free):
        network.last.conv.weight.data *= 100
    assert squashed(x).abs().max() <= 1 < free(x).abs().max()
    torch.testing.assert_close(squashed(x), torch.tanh(free(x)))


def affected_frames(network, x, frame):
    """Frames of the output that change when one frame of the input does."""
    changed = x.clone()
    changed[:, :, frame] += 1
    difference = (network(changed) - network(x)).abs().amax((0, 1, 3, 4))
    return torch.nonzero(difference).flatten()


@pytest.mark.parametrize("temporal_stride", [1, 2])
def test_a_frame_reaches_just_as_far_as_said(temporal_stride):
    network = generator(local=True, temporal_stride=temporal_stride, tanh=False)
    whole, x, farthest = temporal_stride**2, clip(1, 1, 96, 8, 8), 0
    for frame in range(48, 48 + whole):
        found = affected_frames(network, x, frame)
        start, stop = found.min() // whole * whole, found.max() // whole * whole  # of the strides that it changes
        farthest = max(farthest, frame - (start + whole - 1), stop - frame)
    assert farthest <= reach(network.settings) < farthest + whole


def test_the_paper_s_generator_sees_45_frames_with_stride_1():
    assert reach(Generator(temporal_stride=1)) == 22


def test_instance_norm_reaches_all_frames():
    assert len(affected_frames(generator(), clip(1, 1, 48, 8, 8), 24)) == 48


def test_noise_enters_only_through_its_learned_scale():
    network, x = generator(noise=True), clip(1, 1, 4, 16, 16)
    noise = network.draw_noise(x, torch.Generator().manual_seed(0))
    assert noise.shape == (1, 2, 1, 4, 4)
    torch.testing.assert_close(network(x, noise), network(x))  # the scale starts at zero
    network.blocks[0].noise_scale.data[1] = 0.5
    assert not torch.allclose(network(x, noise), network(x))
    other = network.draw_noise(x, torch.Generator().manual_seed(1))
    assert not torch.allclose(network(x, noise), network(x, other))
    torch.testing.assert_close(network(x, noise), network(x, noise), rtol=0, atol=0)


def test_noise_scale_learns_from_the_start():
    network, x = generator(noise=True), clip(1, 1, 4, 16, 16)
    network(x, network.draw_noise(x, torch.Generator().manual_seed(0))).square().mean().backward()
    assert network.blocks[0].noise_scale.grad.abs().min() > 0


def test_noise_stands_still():
    """A still clip stays still, away from the padded ends: one noise image serves all frames."""
    network = generator(noise=True, local=True)
    network.blocks[0].noise_scale.data[:] = 1.0
    still = clip(1, 1, 1, 16, 16).expand(1, 1, 32, 16, 16).contiguous()
    middle = network(still, network.draw_noise(still, torch.Generator().manual_seed(0)))[:, :, 12:20].detach()
    assert middle.std(2).max() < 1e-5
    assert middle.std((3, 4)).min() > 1e-2


def test_a_generator_without_noise_draws_none():
    assert ResnetGenerator(Generator(**TINY, noise=True), noise=False).draw_noise(clip(1, 1, 4, 16, 16), None) is None


@pytest.mark.parametrize("pad", ["reflect", "constant"])
@pytest.mark.parametrize("along", [2, 3, 4])
def test_padding_reflects_or_forgets_the_edge(along, pad):
    layer = PaddedConv(3, 1, 1, 3, pad=pad)
    weight = torch.zeros(1, 1, 3, 3, 3)
    weight[(0, 0, *(0 if k == along - 2 else 1 for k in range(3)))] = 1.0  # takes the neighbour before
    layer.conv.weight.data, layer.conv.bias.data = weight, torch.zeros(1)
    x = clip(1, 1, 6, 6, 6)
    expected = {"reflect": x.select(along, 1), "constant": torch.zeros(1, 1, 6, 6)}[pad]
    torch.testing.assert_close(layer(x).select(along, 0), expected)
    torch.testing.assert_close(layer(x).narrow(along, 1, 5), x.narrow(along, 0, 5))


@pytest.mark.parametrize("temporal_stride", [1, 2])
def test_temporal_stride_keeps_the_shape(temporal_stride):
    network = generator(temporal_stride=temporal_stride, noise=True)
    x = clip(2, 1, 16, 16, 24)
    assert network(x).shape == x.shape
    assert network.noise_shape(x.shape) == (2, 2, 1, 4, 6)


def test_generator_sizes_follow_the_switches():
    assert clip_stride(Generator()) == (4, 4, 4)
    assert clip_stride(Generator(temporal_stride=1)) == (1, 4, 4)
    assert clip_stride(Generator(dimensions=2)) == (4, 4)


@pytest.mark.parametrize(("first", "after", "expected"), [(2, 2, 70), (2, 1, 28), (1, 1, 16)])
def test_discriminator_sees_70_frames_28_or_16(first, after, expected):
    """Back-propagate from one score and count the frames that had a say."""
    settings = Discriminator(features=2, temporal_stride=after, temporal_stride_first=first)
    assert [each[0] for each in strides(settings, 3)] == [first, after, after, 1, 1]
    network = PatchDiscriminator(settings, 3)
    network.norm = torch.nn.Identity()  # a norm over the clip would see everything
    x = torch.randn(1, 1, 96, 24, 24, requires_grad=True)
    scores = network(x)
    scores[0, 0, scores.shape[2] // 2].sum().backward()
    assert int((x.grad.abs().amax((0, 1, 3, 4)) > 0).sum()) == expected


@pytest.mark.parametrize(("first", "after", "frames"), [(2, 2, 24), (2, 1, 10), (1, 1, 6)])
def test_smallest_clip_for_the_discriminator(first, after, frames):
    settings = Discriminator(features=2, temporal_stride=after, temporal_stride_first=first)
    assert smallest([each[0] for each in strides(settings, 3)]) == frames
    network = PatchDiscriminator(settings, 3)
    assert network(clip(1, 1, frames, 32, 32)).shape[2] == 1
    with pytest.raises(RuntimeError):
        network(clip(1, 1, frames - 1, 32, 32))


def test_losses_against_numbers_worked_out_by_hand():
    a, b = torch.tensor([1.0, 2.0, -1.0, 0.0]), torch.tensor([0.0, 4.0, -1.0, 1.0])
    assert least_squares(a, 1.0) == pytest.approx((0 + 1 + 4 + 1) / 4)
    assert least_squares(a, 0.0) == pytest.approx((1 + 4 + 1 + 0) / 4)
    assert cycle_loss(a, b) == pytest.approx((1 + 2 + 0 + 1) / 4)
    assert identity_loss(a, b, "l2") == pytest.approx((1 + 4 + 0 + 1) / 4)
    assert identity_loss(a, b) == pytest.approx(1.0)
    assert identity_loss(a, b, "l2") == pytest.approx((1 + 4 + 0 + 1) / 4)
    assert discriminator_loss(a, b) == pytest.approx(1.5 + (0 + 16 + 1 + 1) / 4)


def test_losses_are_float32_for_half_precision_tensors():
    assert least_squares(torch.ones(3, dtype=torch.bfloat16), 0.0).dtype == torch.float32
    assert cycle_loss(torch.ones(3), torch.zeros(3, dtype=torch.bfloat16)).dtype == torch.float32


def test_a_weight_is_the_number_that_multiplies_its_loss():
    weights = Loss(gan=2, cycle_silico=3, cycle_vivo=5, identity_silico=7, identity_vivo=11, discriminator=13)
    names = ["gan_vivo", "gan_silico", "cycle_silico", "cycle_vivo", "identity_silico", "identity_vivo", "judge_vivo"]
    factors = [2, 2, 3, 5, 7, 11, 13]
    losses = {name: torch.tensor(10.0**k) for k, name in enumerate(names)}
    assert weighted_sum(losses, weights) == pytest.approx(sum(f * 10.0**k for k, f in enumerate(factors)))


def tiny(**changes):
    return settings_from(
        TrainSettings,
        "paper-3d-stride1",
        **{
            "generator.features": 4,
            "generator.blocks": 1,
            "discriminator.features": 2,
            "discriminator.layers": 1,
            "discriminator.temporal_stride": 1,
            "data.clip": (8, 16, 16),
            **changes,
        },
    )


def test_losses_of_weight_zero_are_left_out_and_the_others_are_there():
    x, rng = clip(1, 1, 8, 16, 16), torch.Generator()
    names = ("cycle_silico", "cycle_vivo", "identity_silico", "identity_vivo")
    without = {f"loss.{name}": 0 for name in names}
    assert set(CycleGAN(tiny(**without)).generator_losses(x, x, rng)[0]) == {"gan_vivo", "gan_silico"}
    all_on = CycleGAN(tiny()).generator_losses(x, x, rng)[0]
    assert set(names) < set(all_on)


@pytest.mark.parametrize(
    ("changes", "silico", "vivo"),
    [({}, 2, 4), ({"loss.identity_vivo_norm": "l1"}, 2, 2), ({"loss.identity_norm": "l2"}, 4, 4)],
)
def test_each_identity_has_its_norm(changes, silico, vivo):
    """Generators that add 2: in L1 they are off by 2, in the printed norm, a mean square, by 4."""
    model = CycleGAN(tiny(**changes))
    for network in model.generators.values():
        network.forward = lambda x, noise=None: x + 2
    x = clip(1, 1, 8, 16, 16)
    losses, _ = model.generator_losses(x, x, torch.Generator())
    assert float(losses["identity_silico"]) == pytest.approx(silico)
    assert float(losses["identity_vivo"]) == pytest.approx(vivo)


def test_settings_stored_before_the_second_identity_mean_what_they_meant():
    stored = TrainSettings().model_dump()
    for name in ("identity_silico_norm", "identity_vivo_norm"):
        del stored["loss"][name]
    del stored["discriminator"]["temporal_stride_first"]
    stored["loss"] |= {"identity_vivo": 0.0, "identity_norm": "l1"}
    read = TrainSettings.model_validate(stored)
    assert (read.loss.identity_vivo, read.loss.identity_norms) == (0, {"silico": "l1", "vivo": "l1"})
    assert [each[0] for each in strides(read.discriminator, 3)] == [2, 2, 2, 1, 1]


def test_losses_of_an_identity_are_zero_where_they_should_be():
    model = CycleGAN(tiny(**{"generator.noise": False}))
    for network in model.generators.values():
        network.forward = lambda x, noise=None: x
    silico, vivo = clip(1, 1, 8, 16, 16), clip(1, 1, 8, 16, 16, seed=1)
    with torch.no_grad():
        losses, translated = model.generator_losses(silico, vivo, torch.Generator())
        judged = model.judge_losses(silico, vivo, translated)
        on_silico, on_vivo = model.vivo_judge(silico), model.vivo_judge(vivo)
    assert all(losses[name] == 0 for name in ("cycle_silico", "cycle_vivo", "identity_silico", "identity_vivo"))
    torch.testing.assert_close(translated["vivo"], silico)
    assert losses["gan_vivo"] == pytest.approx(float((on_silico - 1).square().mean()))
    assert judged["judge_vivo"] == pytest.approx(float((on_vivo - 1).square().mean() + on_silico.square().mean()))


@pytest.mark.parametrize("preset", TRAIN_PRESETS)
def test_every_preset_is_a_model_that_takes_its_clips(preset):
    settings = settings_from(TrainSettings, preset)
    check_clip(settings)
    if settings.method == "one-sided":
        x, network = torch.zeros(1, 1, *settings.data.clip), LocalGenerator(settings.local)
        assert network(x, network.draw_noise(x, torch.Generator())).shape == x.shape
        return
    with torch.device("meta"):
        x = torch.empty(1, 1, *settings.data.clip)
        network = ResnetGenerator(settings.generator)
        x = x[:, :, 0] if settings.dimensions == 2 else x
        noise = torch.empty(network.noise_shape(x.shape))
        assert network(x, noise).shape == x.shape
    assert settings.generator.noise == (preset == "paper-3d-noise")
    stride = 1 if preset in ("paper-3d-stride1", "paper-3d-noise") else 2
    assert settings.generator.temporal_stride == stride
    if settings.dimensions == 3:  # "in every layer"
        assert [each[0] for each in strides(settings.discriminator, 3)] == [stride, stride, stride, 1, 1]


def test_group_norm_keeps_the_channels_strength_to_each_other():
    x = clip(2, 8, 4, 4, 4) * torch.tensor([1.0, 4.0] * 4).reshape(8, 1, 1, 1)  # four groups of two
    spread_weights = GroupNorm()(x).std((2, 3, 4))
    assert float((spread_weights[:, 1] / spread_weights[:, 0]).min()) > 3
    even = InstanceNorm()(x).std((2, 3, 4))
    assert float((even[:, 1] / even[:, 0]).max()) == pytest.approx(1, abs=0.01)


def test_a_pointwise_discriminator_scores_22_pixels():
    settings = Discriminator(features=4, layers=3, pointwise=True, norm="group", activation="silu")
    judge = PatchDiscriminator(settings, 3)
    spread_weights(judge, torch.Generator().manual_seed(0))
    x = clip(1, 1, 64, 64, 64).requires_grad_()
    judge.norm = torch.nn.Identity()  # a norm looks at everything
    scores = judge(x)
    assert scores.shape == (1, 1, 8, 8, 8)
    (slope,) = torch.autograd.grad(scores[0, 0, 4, 4, 4], x)
    seen = torch.nonzero(slope[0, 0].abs().sum((1, 2))).flatten()
    assert int(seen.max() - seen.min()) + 1 == 22


def test_only_silico_to_vivo_has_noise():
    model = CycleGAN(tiny(**{"generator.noise": True}))
    assert model.silico_to_vivo.blocks[0].noise_scale is not None
    assert model.vivo_to_silico.blocks[0].noise_scale is None


def test_initial_weights_are_normal_of_sd_002_and_seeded_apart_from_the_global_generator():
    before = torch.random.get_rng_state()
    first, second, other = CycleGAN(tiny(), 1), CycleGAN(tiny(), 1), CycleGAN(tiny(), 2)
    assert torch.equal(before, torch.random.get_rng_state())
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])
    weight = first.silico_to_vivo.blocks[0].convs[0].conv.weight
    assert not torch.equal(weight, other.silico_to_vivo.blocks[0].convs[0].conv.weight)
    assert float(weight.detach().std()) == pytest.approx(0.02, rel=0.05)


def test_image_pool_shows_new_clips_until_full_and_then_old_ones_half_of_the_time():
    pool, rng = ImagePool(50), np.random.default_rng(0)
    for k in range(50):
        assert float(pool.exchange(torch.full((1, 1), float(k)), rng)) == k
    shown = np.array([float(pool.exchange(torch.full((1, 1), float(k)), rng)) for k in range(50, 1050)])
    assert 0.45 < np.mean(shown < np.arange(50, 1050)) < 0.55
    assert len(pool.clips) == 50


def test_image_pool_of_size_zero_does_nothing():
    x = clip(3, 1, 2)
    torch.testing.assert_close(ImagePool(0).exchange(x, np.random.default_rng(0)), x, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data.clip": (30, 64, 64)}, r"clip \(30, 64, 64\) must be divisible by 4 on every axis; try \(32, 64, 64\)"),
        ({"data.clip": (16, 64, 64)}, r"at least \(24, 24, 24\) for this discriminator; try \(24, 64, 64\)"),
        (
            {"data.clip": (30, 62, 64), "generator.temporal_stride": 1},
            r"must be divisible by \(1, 4, 4\) along frames, rows, columns; try \(30, 64, 64\)",
        ),
        (
            {"data.clip": (1, 64, 64), "generator.dimensions": 2, "discriminator.variance_map": True},
            "variance_map is of method one-sided",
        ),
        ({"data.clip": (8, 64, 64), "generator.dimensions": 2}, r"must have 1 frame for a 2-D generator; try \(1, 64"),
    ],
)
def test_clip_sizes_that_the_networks_cannot_take(changes, message):
    with pytest.raises(InputError, match=message):
        translation_model(settings_from(TrainSettings, "paper-3d", **changes))
