"""The losses of a training run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from .. import plot
from .drawing import Drawing


def training_losses(run: Path) -> list[Drawing]:
    """The losses of a run; nothing where it kept no log."""
    log = run / "log.jsonl"
    if not log.exists():
        return []
    # The log, without what an interruption left half written or twice
    lines = []
    for text in log.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:  # the last line of an interrupted run
            continue
    lines = [line for line in lines if isinstance(line, dict) and "step" in line]
    if len(lines) < 2:
        return []
    by_step = {line["step"]: line for line in lines}  # a resumed run logs some steps twice; the later counts
    steps = sorted(by_step)
    # A curve per loss
    last = by_step[steps[-1]]
    names = [
        name
        for name, value in last.items()
        if name not in ("step", "seconds", "data_wait") and isinstance(value, float)
    ]
    curves = {name: [by_step[step].get(name, np.nan) for step in steps] for name in names}
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    plot.losses(steps, curves, figure.subplots())
    return [
        Drawing(
            "Training losses",
            figure,
            Markup(
                "Losses of the run <code>{}</code> over {} steps, smoothed over a fiftieth of the run. "
                "Adversarial losses do not fall as the translation improves: judge by the table."
            ).format(run.resolve().name, steps[-1]),
        )
    ]
