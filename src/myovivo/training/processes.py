"""The processes, devices and precision that a training runs in."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import (
    ClusterEnvironment,
    LightningEnvironment,
    SLURMEnvironment,
    TorchElasticEnvironment,
)
from torch import Tensor

from ..errors import InputError
from ..models.settings import TrainSettings
from ..runtime.device import device_of, precision_for

_PRECISION = {"bf16": "bf16-mixed", "fp16": "16-mixed", "fp32": "32-true"}


def fabric_for(settings: TrainSettings, device: str = "auto", devices: int = 1, nodes: int = 1) -> Fabric:
    """The processes to train in, launched: one per device, started by torchrun, SLURM or this very command.

    Parameters
    ----------
    settings : of the training, whose precision gives way where a device has none of it
    device : "auto" (a CUDA device if there is one), "cpu" or "cuda"
    devices, nodes : processes per node, and nodes

    Raises
    ------
    InputError : no such device here, fp16 without a CUDA device, a batch that the processes cannot share, or more
        or fewer processes than srun or torchrun started.
    """
    device = device_of(device).type
    if device == "cuda" and devices > torch.cuda.device_count():
        raise InputError(f"devices is {devices}, but torch sees {torch.cuda.device_count()} CUDA devices here")
    if device == "cpu" and settings.optimiser.precision == "fp16":
        raise InputError("optimiser.precision fp16 needs a CUDA device; on a CPU use bf16 or fp32")
    world, batch, parts = devices * nodes, settings.optimiser.batch, settings.optimiser.accumulate
    if world < 1 or batch % (world * parts):
        rule = f"optimiser.batch, {batch}, must be divisible by devices x nodes x optimiser.accumulate, {world * parts}"
        raise InputError(f"{rule}; try {max(world * parts, -(-batch // max(world * parts, 1)) * world * parts)}")
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it announces each precision it is given
    precision: Any = _PRECISION[precision_for(settings.optimiser.precision, torch.device(device))]
    strategy = "ddp" if world > 1 else "auto"
    started = started_by(devices, nodes)
    fabric = Fabric(
        accelerator=device, devices=devices, num_nodes=nodes, strategy=strategy, precision=precision, plugins=started
    )
    if world > 1:
        fabric.launch()
    return fabric


def prepare_gpu(networks: torch.nn.Module) -> None:
    """Let a GPU compute as it is quickest: its convolutions timed once and the best kept, float32 products in TF32, and
    the weights of three-dimensional convolutions with their channels last (on a CPU that is slower)."""
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
    for parameter in networks.parameters():
        if parameter.dim() == 5:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last_3d)


def started_by(devices: int, nodes: int) -> ClusterEnvironment | None:
    """Who started the processes: torchrun, srun, or, where neither did, this process for those of one node.

    Fabric goes by the variables of the whole SLURM job, which stand in its batch script too, where nobody started more
    than one process, and lets each task that srun started train on its own if `devices` is 1.

    Raises
    ------
    InputError : torchrun or srun started more or fewer than devices x nodes.
    """
    elastic = TorchElasticEnvironment.detect()
    tasks = int(os.environ.get("WORLD_SIZE" if elastic else "SLURM_STEP_NUM_TASKS", "1"))
    if tasks == 1:
        return LightningEnvironment() if nodes == 1 else None
    if tasks != devices * nodes:
        rule = (
            f"{'torchrun' if elastic else 'srun'} started {tasks} processes, but devices x nodes is {devices * nodes}"
        )
        raise InputError(f"{rule}; give --devices as the processes of a node and --nodes as the nodes")
    if elastic:
        return TorchElasticEnvironment()
    os.environ.setdefault("SLURM_NTASKS_PER_NODE", str(devices))  # fabric asks for it, and `srun -n` does not set it
    return SLURMEnvironment()


def average_gradients(fabric: Fabric, parameters: Iterable[torch.nn.Parameter]) -> None:
    """Replace each gradient by its mean over the processes.

    In one message, after the backward pass. A wrapper that overlaps the two would be faster on a slow network, but
    must own the forward pass, which here is several networks' together; and since every norm is of one
    sample, this is exactly the gradient of one process with the whole batch.
    """
    if fabric.world_size == 1:
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = fabric.all_reduce(torch.cat([gradient.flatten() for gradient in gradients]), reduce_op="mean")
    start = 0
    for gradient in gradients:
        gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))  # type: ignore[index]
        start += gradient.numel()


def mean_over_processes(fabric: Fabric, values: Tensor) -> Tensor:
    """Elementwise mean; the same tensor in every process."""
    return fabric.all_reduce(values, reduce_op="mean") if fabric.world_size > 1 else values  # type: ignore[return-value]


def any_process(fabric: Fabric, *wishes: bool) -> tuple[bool, ...]:
    """For each wish, whether any process has it, so that all do the same at the same step."""
    if fabric.world_size == 1:
        return wishes
    asked = fabric.to_device(torch.tensor(wishes, dtype=torch.float32))
    return tuple((fabric.all_reduce(asked, reduce_op="sum") > 0).tolist())  # type: ignore[operator,union-attr]


def gathered(fabric: Fabric, own: Tensor) -> Tensor:
    """(n, ...) of each process -> (processes x n, ...), in the order of the processes."""
    return fabric.all_gather(own).flatten(0, 1) if fabric.world_size > 1 else own  # type: ignore[union-attr]
