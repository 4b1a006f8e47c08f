"""Which commands there are, and where each is written; help on all of them needs no more than this."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .options import Command


class Entry(NamedTuple):
    """One command: the module beside this one and the class in it that hold its options; what it does, in a line."""

    module: str
    kind: str
    summary: str


COMMANDS = {
    "simulate": Entry("domains", "Simulate", "labelled sequences of a contracting muscle (in silico)"),
    "phantom": Entry("domains", "Phantom", "recordings of the tissue phantom, a stand-in for in vivo"),
    "view": Entry("views", "View", "sequences that move, side by side on one page"),
    "inspect": Entry("recordings", "Inspect", "what is in a recording, and what is missing"),
    "acquire": Entry("recordings", "Acquire", "recordings of a scanner to sequences"),
    "train": Entry("translators", "Train", "a translator between two unpaired folders of sequences"),
    "translate": Entry("translators", "Translate", "sequences with a trained run; labels travel along"),
    "export": Entry("translators", "Export", "a translator as ONNX"),
    "show": Entry("pictures", "Show", "a sequence as one figure, PNG or PDF"),
    "evaluate": Entry("comparisons", "Evaluate", "translated against recorded sequences: the paper's table"),
    "identify": Entry("units", "Identify", "the motor units that move in sequences"),
    "train-identifier": Entry("units", "TrainIdentifier", "a network that identifies motor units"),
    "benchmark": Entry("benchmark", "Benchmark", "an open benchmark of identification: make it, score answers"),
    "report": Entry("comparisons", "Report", "one HTML page with the table and figures"),
    "study": Entry("studies", "Study", "the paper's whole experiment, in resumable steps"),
    "demo": Entry("studies", "Demo", "the whole way once, in minutes"),
    "completion": Entry("completion", "Completion", "the script that completes all this in bash, zsh or fish"),
}


def command_class(name: str) -> type[Command]:
    """The options of a command, from its module."""
    entry = COMMANDS[name]
    return getattr(importlib.import_module(f".{entry.module}", __package__), entry.kind)


def overview() -> str:
    """What `myovivo --help` prints."""
    lines = [
        "usage: myovivo COMMAND [options]; myovivo --version",
        "",
        "Make simulated muscle motion look recorded, keep its labels, and measure how well it went.",
        "",
        *(f"  {name:18}{entry.summary}" for name, entry in COMMANDS.items()),
        "",
        "The whole way once: myovivo demo OUT. Of one command: myovivo COMMAND --help.",
        "Every command can be interrupted; the same command again goes on where it was.",
    ]
    return "\n".join(lines)
