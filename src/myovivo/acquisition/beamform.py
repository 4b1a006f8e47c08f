"""Delay-and-sum of channel data to IQ images: plane, diverging and focused waves, linear and curved arrays.

The physics is three functions of one pixel, one element and one wave, `echo_time`, `receive_weight` and
`insonified`. They are composed by broadcasting over pixels, elements and waves into a sparse matrix, and over frames by
multiplying a block of frames with it. The matrix is real twice, once for each part of the phase rotation:
on a CPU, products of real sparse matrices with many columns ran about two and a half times faster than
complex ones, and a gather per frame was slower than either. The same code runs on CUDA.

Montaldo et al. 2009, IEEE Trans Ultrason Ferroelectr Freq Control 56:489, doi:10.1109/TUFFC.2009.1067.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import FileError, InputError
from ..runtime.device import device_of
from ..runtime.settings import settings_from
from ..sequences.recording import Recording
from .channel_data import ChannelData
from .delays import echo_time, elements_of, insonified, receive_weight, waves_of
from .demodulate import Demodulator
from .image_grid import image_grid
from .inputs import channel_data
from .parameters import complete
from .recordings import open_recording
from .settings import AcquireSettings

_TILE = 1 << 20  # pixel-element-wave triples whose delays are computed at once

_KEPT = 1 << 30  # bytes of matrices kept between blocks of frames; beyond that they are computed anew


def beamform(
    source: ChannelData | str | Path,
    settings: AcquireSettings | str | Path | Mapping[str, Any] | None = None,
    *,
    mapping: str | Path | None = None,
    device: str = "auto",
    **changes: Any,
) -> Recording:
    """Delay-and-sum channel data to IQ images.

    Plane waves, diverging ones and focused ones, of linear and curved arrays. The image is Cartesian: of a curved
    array it covers the sector that its outermost elements look into, from the depth of its middle on. Pixels that no
    wave passes, beside a sector or a beam, are zero. Velocity that is measured in it is that along depth.

    Parameters
    ----------
    source : RF or IQ of every element, or a file of it, of any format that `acquire` reads
    settings, **changes : `AcquireSettings`; its groups `scan`, `demodulation` and `beamforming` are used
    mapping : a file that says where in the recording the frames and parameters are
    device : `auto`, `cpu`, `cuda`

    Returns
    -------
    Recording
        IQ frames (T, Z, X), beamformed block by block when they are asked for; baseband at the
        centre frequency of the channels, phase growing when tissue moves towards the probe

    Raises
    ------
    InputError : the image lies outside of what was recorded, or the sampling frequency is too low.
    FileError : the file cannot be read, or holds no channel data.
    """
    settings = settings_from(AcquireSettings, settings, **changes)
    if isinstance(source, ChannelData):
        channels = source
    else:
        content = open_recording(source, settings.scan, mapping)
        if isinstance(content, Recording) or content.kind not in ("rf", "channel_iq"):
            raise FileError(source, "holds no channel data to be beamformed; see `myovivo inspect`")
        try:
            channels = channel_data(content, complete(content))
        except InputError as error:
            raise FileError(source, str(error)) from error
    plan = Beamformer(channels, settings, device)
    frames = channels.shape[0]

    def blocks() -> Iterator[NDArray[np.complex64]]:
        for block in channels.blocks():
            yield plan(block)

    return Recording(
        blocks=blocks,
        shape=(frames, len(plan.grid.z), len(plan.grid.x)),
        frame_rate=channels.frame_rate,
        spacing=plan.grid.spacing,
        centre_frequency=channels.centre_frequency,
        sound_speed=channels.sound_speed,
        labels=channels.labels,
        origin=channels.origin,
        subject=channels.subject,
        provenance={**channels.provenance, "image": plan.description()},
    )


class Beamformer:
    """Delays and weights of one scan, ready for block after block of its frames."""

    def __init__(self, channels: ChannelData, settings: AcquireSettings, device: str = "auto"):
        self.device = device_of(device)
        _, waves, samples, elements = channels.shape
        self.channels, self.settings = channels, settings.beamforming
        self.demodulator = Demodulator(
            samples,
            channels.sampling_frequency,
            channels.centre_frequency,
            settings.demodulation,
            self.device,
            channels.is_iq,
            channels.half_band,
        )
        self.grid = image_grid(channels, settings.beamforming, self.demodulator.half_band, settings.output.rows)
        rows = max(1, _TILE // (len(self.grid.x) * elements * waves))
        self._tiles = [slice(row, row + rows) for row in range(0, len(self.grid.z), rows)]
        self._matrices: list[tuple[torch.Tensor, torch.Tensor]] | None = None

    def __call__(self, block: NDArray[Any]) -> NDArray[np.complex64]:
        """Channel data (B, W, S, E) -> IQ (B, Z, X)."""
        iq = self._demodulated(block)  # (2, W M E, B)
        shape = (len(self.grid.z), len(self.grid.x), len(block))
        image = torch.empty((2, *shape), device=self.device)
        for rows, (real, imaginary) in zip(self._tiles, self._operators(), strict=True):
            part = image[:, rows].view(2, -1, len(block))
            torch.sub(real @ iq[0], imaginary @ iq[1], out=part[0])
            torch.add(real @ iq[1], imaginary @ iq[0], out=part[1])
        frames = torch.complex(image[0], image[1]).permute(2, 0, 1)  # (B, Z, X)
        return frames.contiguous().cpu().numpy()

    def description(self) -> dict[str, Any]:
        """What was computed, for the provenance."""
        z, x = self.grid
        (dz, dx), rate = self.grid.spacing, self.demodulator.rate
        return {
            "depth": [round(float(z[0] - dz / 2), 9), round(float(z[-1] + dz / 2), 9)],
            "width": [round(float(x[0] - dx / 2), 9), round(float(x[-1] + dx / 2), 9)],
            "rows": len(z),
            "columns": len(x),
            "half_band": self.demodulator.half_band,
            "iq_rate": rate,
        }

    def _demodulated(self, block: NDArray[Any]) -> torch.Tensor:
        data = torch.from_numpy(np.ascontiguousarray(block)).to(self.device)
        if data.is_complex() != self.channels.is_iq:
            raise InputError(f"blocks of {block.dtype} contradict is_iq={self.channels.is_iq}; complex blocks are IQ")
        parts = torch.view_as_real(data) if data.is_complex() else data[..., None]
        # Frames last: every later product is then of a matrix with many columns.
        parts = parts.to(torch.float32).permute(4, 1, 2, 3, 0).contiguous()  # (1 or 2, W, S, E, B)
        _, waves, samples, elements, count = parts.shape
        flat = parts.view(len(parts), waves, samples, elements * count)
        if len(parts) == 1:  # an offset of the converter would pass for an echo that stands still
            flat -= flat.mean(2, keepdim=True)
        waves_of_block = [self.demodulator(flat[0, w] if len(flat) == 1 else flat[:, w]) for w in range(waves)]
        iq = waves_of_block[0] if waves == 1 else torch.cat(waves_of_block, 1)  # (2, W M, E B)
        return iq.view(2, -1, count)

    def _operators(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        if self._matrices is not None:
            yield from self._matrices
            return
        kept, size = [], 0
        for rows in self._tiles:
            matrices = self._matrix(rows)
            size += matrices[0].values().numel() * 12  # two values and an index
            if size <= _KEPT:
                kept.append(matrices)
            yield matrices
        if size <= _KEPT:
            self._matrices = kept

    def _matrix(self, rows: slice) -> tuple[torch.Tensor, torch.Tensor]:
        """Real and imaginary part of the sparse matrix for some rows of pixels: (pixels, W M E)."""
        channels, count, rate = self.channels, self.demodulator.count, self.demodulator.rate
        index = {"dtype": torch.int32, "device": self.device}
        like = {"dtype": torch.float32, "device": self.device}  # 1e-7 of a path of 100 mm is 10 nm
        z, x, start = (
            torch.as_tensor(values, **like) for values in (self.grid.z[rows], self.grid.x, channels.start_time)
        )
        element, wave = elements_of(channels, self.device), waves_of(channels, self.device)
        elements, waves = len(element.x), len(start)
        z, x, begin = z[:, None, None, None], x[:, None, None], start[:, None]  # (Z, X, W, E)
        time = echo_time(z, x, element, wave, channels.sound_speed) - begin
        weight = receive_weight(z, x, element, self.settings.f_number, self.settings.window)
        weight = weight * insonified(z, x, wave)
        # IQ was mixed down from its first sample on, so e^(i w t) of the time since then restores the echo's
        # phase; less that of a reflector straight below, the image is at baseband again.
        phase = 2 * math.pi * channels.centre_frequency * (time - 2 * z / channels.sound_speed)
        lane = torch.arange(waves, **index)[:, None] * (count * elements) + torch.arange(elements, **index)

        # From here on only what has a part in a pixel: (n,).
        counts = (weight > 0).sum((2, 3))
        used = (weight > 0).view(-1).nonzero()[:, 0]
        position, phase, lane = (values.expand_as(weight).reshape(-1)[used] for values in (time * rate, phase, lane))
        scale = (weight / weight.sum((2, 3), keepdim=True)).view(-1)[used]
        before = position.floor()
        fraction = position - before
        scale = scale * ((before >= 0) & (before < count - 1))  # nothing was recorded outside
        taps = torch.stack([(1 - fraction) * scale, fraction * scale], 1)  # linear interpolation
        sample = before.clamp(0, count - 2).to(torch.int32) * elements + lane
        columns = torch.stack([sample, sample + elements], 1).view(-1)
        size = (weight.shape[0] * weight.shape[1], waves * count * elements)
        ends = torch.zeros(size[0] + 1, **index)
        ends[1:] = 2 * counts.view(-1).cumsum(0)
        real, imaginary = (
            _sparse(ends, columns, (taps * turn[:, None]).view(-1), size)
            for turn in (torch.cos(phase), torch.sin(phase))
        )
        return real, imaginary


def _sparse(ends: torch.Tensor, columns: torch.Tensor, values: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    if values.is_cuda:  # whose library wants the columns of a row in order
        rows = torch.repeat_interleave(torch.arange(size[0], device=values.device), ends.long().diff())
        return torch.sparse_coo_tensor(torch.stack([rows, columns.long()]), values, size).coalesce().to_sparse_csr()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(beta state|[Ii]nvariant checks).*")
        return torch.sparse_csr_tensor(ends, columns, values, size, check_invariants=False)
