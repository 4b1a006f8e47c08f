"""Products in the place of convolutions: the same values and gradients as the textbook form, to rounding."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from myovivo.models.discriminators import clip_log_variance
from myovivo.models.layers import compressed
from myovivo.models.local import LocalGenerator, LocalSettings, initialise_local
from myovivo.models.products import conv_channels_last, flat_conv, sliding_matrix


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("taps", "outputs"), [(1, 4), (3, 1), (5, 9), (65, 20)])
def test_a_sliding_matrix_is_a_convolution(taps, outputs):
    kernel, series = drawn(taps).requires_grad_(), drawn(outputs + taps - 1, seed=1)
    matrix = sliding_matrix(kernel, outputs)
    assert matrix.shape == (outputs, outputs + taps - 1)
    torch.testing.assert_close(matrix @ series, F.conv1d(series[None, None], kernel[None, None])[0, 0])
    (slope,) = torch.autograd.grad((matrix @ series * drawn(outputs, seed=2)).sum(), kernel)
    (expected,) = torch.autograd.grad(
        (F.conv1d(series[None, None], kernel[None, None])[0, 0] * drawn(outputs, seed=2)).sum(), kernel
    )
    torch.testing.assert_close(slope, expected)


def test_a_flat_convolution_is_the_3d_one_with_its_gradients():
    conv = nn.Conv3d(3, 5, (1, 3, 3), padding=(0, 2, 2), dilation=(1, 2, 2))
    x, strength, way = drawn(2, 3, 4, 7, 6), drawn(3, seed=1), drawn(2, 5, 4, 7, 6, seed=2)
    results = []
    for convolve in (
        lambda x, s: conv(x * s[:, None, None, None]),
        lambda x, s: flat_conv(conv, x, s),
    ):
        leaves = [x.clone().requires_grad_(), strength.clone().requires_grad_()]
        y = convolve(*leaves)
        results.append((y, *torch.autograd.grad((y * way).sum(), [*leaves, *conv.parameters()])))
    for textbook, quick in zip(*results, strict=True):
        torch.testing.assert_close(quick, textbook, rtol=1e-5, atol=1e-5)


def test_channels_last_change_nothing():
    conv, x = nn.Conv2d(3, 4, (3, 1), padding=(1, 0)), drawn(2, 3, 5, 6)
    torch.testing.assert_close(conv_channels_last(conv, x), conv(x))


def test_compressed_is_the_inverse_hyperbolic_sine_also_of_the_smallest_motion():
    x = torch.cat([drawn(100), 1e-6 * drawn(100, seed=1), torch.tensor([0.0, 50.0, -50.0])])
    torch.testing.assert_close(compressed(x, 0.1), torch.asinh(x / 0.1) / 3, rtol=1e-5, atol=0)


def test_the_log_variance_of_a_clip():
    x = drawn(2, 1, 16, 3, 4) + 5
    torch.testing.assert_close(clip_log_variance(x), torch.log(x.var(2, correction=0) + 1e-5) / 2)


def test_filter_and_window_are_convolutions_with_what_lies_beyond_left_out_or_repeated():
    made = LocalGenerator(LocalSettings(features=4, blocks=1, cell=2, filter=9, window=5))
    initialise_local(made, torch.Generator().manual_seed(0))
    for number, parameter in enumerate((made.filter, made.window)):
        parameter.data = drawn(*parameter.shape, seed=number)
    x, weight = drawn(1, 1, 12, 8, 6, seed=3), drawn(1, 1, 1, 8, 6, seed=4).exp()
    taps = torch.cat([made.filter.flip(0)[:-1], made.filter])
    around = F.pad(x, (0, 0, 0, 0, 4, 4), mode="replicate")
    torch.testing.assert_close(made.filtered(x), x + F.conv3d(around, taps[None, None, :, None, None]))
    down, across = made.window_weights()
    kernel = (down[:, None] * across)[None, None, None]
    smooth = [F.conv3d(y, kernel, padding=(0, 2, 2)) for y in (weight * x, weight)]
    torch.testing.assert_close(made.averaged(x, weight), smooth[0] / smooth[1])
