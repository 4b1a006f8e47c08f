"""Which device computes, and in which precision it is fast."""

from __future__ import annotations

from typing import Literal

import torch

from ..errors import InputError

Precision = Literal["bf16", "fp16", "fp32"]

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}


def precision_for(wanted: Precision, device: torch.device) -> Precision:
    """The precision to compute in where `wanted` is the setting: bf16 gives way where a device only imitates it.

    A CPU without bfloat16 instructions took ten to a hundred times longer in it than in float32, which
    takes its place there; a GPU without them takes float16, with a gradient scaler in training. float16 on a CPU, in
    translation, is float32.
    """
    if device.type == "cpu":
        return "bf16" if wanted == "bf16" and _cpu_has_bfloat16() else "fp32"
    if wanted == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return "fp16"
    return wanted


def autocast_dtype(wanted: Precision, device: torch.device) -> torch.dtype:
    """The type to compute in where `wanted` is the setting."""
    return _DTYPES[precision_for(wanted, device)]


def autocast(wanted: Precision, device: torch.device) -> torch.autocast:
    """A context in which networks compute in the precision of the settings, where the device has it."""
    dtype = autocast_dtype(wanted, device)
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)


def _cpu_has_bfloat16() -> bool:
    # Private names of torch, absent in some versions: then as before, take what the settings say.
    checks = [getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")]
    known = [check for check in checks if check is not None]
    return not known or any(check() for check in known)


def device_of(name: str) -> torch.device:
    """`auto` takes CUDA where there is one.

    Raises
    ------
    InputError : a name that torch does not know, or CUDA where there is none.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError(f"device must be auto, cpu or cuda, got {name!r}") from None
    if device.type not in ("cpu", "cuda"):
        raise InputError(f"device must be auto, cpu or cuda, got {name!r}")
    if device.type == "cuda" and not torch.cuda.is_available():
        raise InputError("there is no CUDA device on this machine; use device cpu")
    return device
