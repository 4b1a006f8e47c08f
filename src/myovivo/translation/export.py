"""A trained translator as an ONNX file, for programs without Python or torch."""

from __future__ import annotations

import io
import json
import logging
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import InputError, MissingExtraError
from ..models.windows import Walk
from ..runtime.files import whole_file
from ..version import __version__
from .translator import Direction, Translator

OPSET = 18


def export(
    run: str | Path,
    path: str | Path,
    direction: Direction = "silico_to_vivo",
    size: tuple[int, int] | None = None,
) -> Path:
    """Write a generator as ONNX, with the number of frames free and the noise as an input.

    The network takes and gives standardised velocity; the constants are in the file's metadata, as are frame rate,
    pixel size and, for `house`, the frames that a window needs on either side of those it is for.

    Input `velocity` is (1, 1, T, Z, X), or (T, 1, Z, X) for two-dimensional networks. Noise is standard normal. The
    paper's networks take `noise`, (1, 2 blocks, 1, Z/4, X/4), the same for all frames. `house` takes `tissue`,
    (1, K, Z, X), to be kept for a whole sequence, and `frames`, (1, 1, T, Z, X), new in each frame.
    The output is `translated`. If the metadata have `band_hz`, a translation is band-passed after the network
    (Butterworth of the 4th order, forwards and backwards); the file does not do that.

    Parameters
    ----------
    run : run folder, weights file, or the name of bundled weights
    path : the file to write
    direction : "silico_to_vivo" or "vivo_to_silico"
    size : rows and columns; those of the training clips if none. The paper's networks need multiples of 4

    Returns
    -------
    Path : `path`

    Raises
    ------
    CheckpointError : as `Translator.load`.
    InputError : a size that the network cannot take.
    MissingExtraError : onnx is not installed.
    FileError : the file cannot be written.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401  (torch's exporter needs it)
    except ImportError as error:
        raise MissingExtraError("onnx", "export") from error
    # What to export, and at which size
    translator = Translator.load(run, direction, "cpu")
    weights, network = translator.weights, translator.generator
    rows, columns = size or weights.settings.data.clip[1:]
    stride = network.stride[-2:]
    if rows % stride[0] or columns % stride[1] or min(rows, columns) < 1:
        raise InputError(f"size ({rows}, {columns}) must be multiples of {stride} for this network")
    if weights.settings.knows_depth and rows != weights.settings.data.clip[1]:
        raise InputError(f"the run, which knows depth, was trained on {weights.settings.data.clip[1]} rows, got {rows}")

    # The network as a graph of tensors alone
    inputs, free = translator.walk.example(rows, columns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter, about its own inner life
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            _Exported(translator.walk).eval(),
            tuple(inputs.values()),
            input_names=list(inputs),
            output_names=["translated"],
            dynamic_shapes=free,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    written = io.BytesIO()
    onnx.save(program.model_proto, written)
    model = onnx.load_from_string(written.getvalue())
    # What a program needs beside it, as metadata
    about: dict[str, Any] = {
        "myovivo": __version__,
        "direction": direction,
        "weights": weights.digest,
        "step": weights.step,
        "frame_rate_hz": weights.frame_rate,
        "spacing_m": list(weights.spacing),
        "standardisation_m_per_s": {name: scale.pair for name, scale in weights.standards.items()},
    }
    if translator.band is not None:
        about["band_hz"] = [translator.band.low, translator.band.high]
    if translator.walk.frames_around is not None:
        about["frames_around"] = translator.walk.frames_around
    for name, value in about.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = name, json.dumps(value)
    with whole_file(path) as part:
        part.write_bytes(model.SerializeToString())
    return Path(path)


class _Exported(nn.Module):
    """A generator whose noise comes as plain tensors."""

    def __init__(self, walk: Walk):
        super().__init__()
        self.network, self.plain = walk.network, walk.plain

    def forward(self, velocity: Tensor, *noise: Tensor) -> Tensor:
        return self.plain(velocity, *noise)
