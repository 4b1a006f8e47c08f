"""What was identified: spike times, maps and courses of motor units, and the files that other programs read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..runtime.arrays import Floats
from ..runtime.files import write_text
from ..runtime.introduction import Introduced, Introduction, between, sampling, shortened
from ..runtime.matlab import save_matlab
from ..runtime.text_tables import comma_separated
from ..runtime.words import counted
from ..sequences.labels import MotorUnits
from ..sequences.sequence import Sequence
from .agreement import TOLERANCE, Agreement, compare_units

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PICTURED = 4  # maps in the picture for notebooks


@dataclass(frozen=True, eq=False, repr=False)
class Units(Introduced):
    """Motor units found in a sequence of T frames.

    Attributes
    ----------
    spike_times : K arrays, s from the first frame, ascending
    weight : (K, Z, X) float32, m/s, how strongly each pixel follows the unit, signed; times `source` it is the velocity
    source : (K, T) float32, the unit's time course, peak 1
    mask : (K, Z, X) bool, where |weight| is at least `mask_level` of its maximum
    quality : (K,) arrays by name: residual (share of the course that its twitches do not explain), silhouette,
        chance (mean height of a network's firings, about 0..1), firing_rate (Hz), ipi_cv, contraction_time (s),
        repeatability (0..1, of the map over epochs of 2 s; NaN under 4 s), lag (s, from given firings to the onset of
        motion); those that the method knows
    frame_rate : Hz
    spacing : (dz, dx), m
    method : of the settings
    """

    spike_times: tuple[Floats, ...]
    weight: NDArray[np.float32]
    source: NDArray[np.float32]
    mask: NDArray[np.bool_]
    quality: Mapping[str, Floats] = field(default_factory=dict)
    frame_rate: float = 0.0
    spacing: tuple[float, float] = (0.0, 0.0)
    method: str = ""

    def __len__(self) -> int:
        return len(self.spike_times)

    @property
    def duration(self) -> float:
        """Length of the sequence, s."""
        return self.source.shape[1] / self.frame_rate

    @property
    def repeatability(self) -> float:
        """Mean over the units of how well their maps repeat over epochs of 2 s, 0..1; NaN without units or under 4 s.

        It needs no truth: true units come back in the same place, with a Jaccard index of 0.38 and more (Rohlén,
        Carbonaro et al. 2023).
        """
        values = np.asarray(self.quality.get("repeatability", ()), float)
        return float(values.mean()) if len(values) else float("nan")

    def agreement(self, truth: Sequence | MotorUnits, tolerance: float = TOLERANCE, seed: int = 0) -> Agreement:
        """Compare with the true units, matched one to one; see `compare_units`.

        Raises
        ------
        InputError : a sequence without labels.
        """
        labels = _labels_of(truth)
        masks = (self.mask, labels.mask) if self.mask.shape[1:] == labels.mask.shape[1:] else (None, None)
        return compare_units(
            self.spike_times, labels.spike_times, self.duration, *masks, tolerance=tolerance, seed=seed
        )

    def plot(self, truth: Sequence | MotorUnits | None = None) -> Figure:
        """Maps of the clearest units, their courses and a raster; with the truth beside them if it is given.

        Parameters
        ----------
        truth : the labelled sequence, or its labels

        Returns
        -------
        Figure : without a window; save it with `savefig`

        Raises
        ------
        InputError : a sequence without labels.
        """
        from .figure import units_figure  # matplotlib takes a while to load

        if truth is None:
            return units_figure(self)
        labels = _labels_of(truth)
        return units_figure(self, labels, self.agreement(labels))

    def save(self, path: str | Path) -> Path:
        """Write the units: `.tsv` as BIDS events, `.json` as openhdemg reads it, `.mat` for MATLAB, `.csv` as a table.

        BIDS: `onset` (s), `duration` (0), `motor_unit`. openhdemg: MUPULSES in frames, FSAMP, NUMBER_OF_MUS, IPTS (the
        courses), BINARY_MUS_FIRING, EMG_LENGTH. MATLAB: `MUPulses` (frames from 1) and `fsamp`, as DEMUSE has them,
        and `spike_times` (s), `weight` (Z, X, K), `source` (T, K), `mask`, `spacing`, `quality`. CSV: a row per
        unit, as `to_pandas` has it.

        Raises
        ------
        InputError : another ending.
        FileError : the file cannot be written.
        """
        path = Path(path)
        if path.suffix.lower() == ".mat":
            return save_matlab(path, self._matlab())
        writers = {".tsv": self._events, ".json": self._openhdemg, ".csv": self._table}
        writer = writers.get(path.suffix.lower())
        if writer is None:
            known = ".tsv, .json, .mat or .csv"
            raise InputError(f"spike trains are saved as {known}, got {path.suffix or 'no ending'} in {path}")
        write_text(path, writer())
        return path

    def to_pandas(self) -> Any:
        """A table with a row per unit: firings, largest motion in mm/s, size of the mask in mm², and its quality.

        Returns
        -------
        pandas.DataFrame : its index is the number of the unit

        Raises
        ------
        InputError : pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise InputError("to_pandas needs pandas; install it, or save the units as .csv") from error
        return pandas.DataFrame(self._columns()).rename_axis("motor_unit")

    def _introduction(self) -> Introduction:
        frames = np.shape(self.source)[1]
        facts = sampling((frames, *np.shape(self.mask)[1:]), self.frame_rate, self.spacing)
        if len(self):
            facts["firings"] = str(sum(len(times) for times in self.spike_times))
            if "firing_rate" in self.quality:
                facts["firings"] += f"; {between(self.quality['firing_rate'])} Hz"
            peaks = 1e3 * np.abs(self.weight).reshape(len(self), -1).max(1)
            facts["maps"] = f"peak {between(peaks)} mm/s; in m/s, times `source` (peak 1) they are the velocity"
        by = f" by method {shortened(self.method, 40)}" if self.method else ""
        return Introduction(f"Units: {counted(len(self), 'motor unit')} identified{by}", facts)

    def _picture(self) -> bytes | None:
        from ..plot.thumbnail import thumbnail
        from ..plot.units import unit_map

        def draw(unit: int) -> Callable[[Axes], object]:
            return lambda ax: unit_map(self.weight[unit], self.spacing, ax, self.mask[unit], colourbar=False)

        return thumbnail([draw(unit) for unit in range(min(len(self), _PICTURED))]) if len(self) else None

    def _events(self) -> str:
        rows = sorted((float(time), unit) for unit, times in enumerate(self.spike_times) for time in times if time >= 0)
        lines = ["onset\tduration\tmotor_unit", *(f"{time:.6f}\t0\t{unit}" for time, unit in rows)]
        return "\n".join(lines) + "\n"

    def _columns(self) -> dict[str, list[float]]:
        pixel = 1e6 * self.spacing[0] * self.spacing[1]
        columns: dict[str, list[float]] = {
            "firings": [len(times) for times in self.spike_times],
            "peak_mm_per_s": [1e3 * float(np.abs(weight).max()) for weight in self.weight],
            "mask_mm2": [pixel * int(mask.sum()) for mask in self.mask],
        }
        return columns | {name: [float(value) for value in values] for name, values in self.quality.items()}

    def _table(self) -> str:
        columns = self._columns()
        rows = zip(*columns.values(), strict=True)
        return comma_separated(
            [["motor_unit", *columns], *([str(n), *(f"{value:.6g}" for value in row)] for n, row in enumerate(rows))]
        )

    def _matlab(self) -> dict[str, Any]:
        count = len(self)
        pulses, times = np.empty((1, count), object), np.empty((1, count), object)
        for unit, train in enumerate(self.spike_times):
            times[0, unit] = np.asarray(train, float)[None]
            inside = train[(train >= 0) & (train < self.duration)]
            pulses[0, unit] = np.rint(inside * self.frame_rate)[None] + 1
        return {
            "MUPulses": pulses,
            "fsamp": self.frame_rate,
            "spike_times": times,
            "weight": np.moveaxis(self.weight, 0, -1),
            "source": self.source.T,
            "mask": np.moveaxis(self.mask, 0, -1).astype(np.uint8),
            "spacing": np.array(self.spacing),
            "quality": {name: np.asarray(values, float) for name, values in self.quality.items()},
            "method": self.method,
        }

    def _openhdemg(self) -> str:
        frames = self.source.shape[1]
        pulses = [sorted({round(time * self.frame_rate) for time in times if time >= 0}) for times in self.spike_times]
        pulses = [[frame for frame in unit if frame < frames] for unit in pulses]
        firing = np.zeros((frames, len(self)), int)
        for unit, at in enumerate(pulses):
            firing[at, unit] = 1

        def table(values: Floats) -> str:  # as pandas writes a frame with orient="split"
            columns, index = list(range(values.shape[1])), list(range(len(values)))
            return json.dumps({"columns": columns, "index": index, "data": np.round(values, 6).tolist()})

        content = {
            "SOURCE": "CUSTOMCSV",
            "FILENAME": "myovivo",
            "RAW_SIGNAL": table(np.zeros((frames, 1))),
            "REF_SIGNAL": table(np.zeros((frames, 1))),
            "ACCURACY": table(np.asarray(self.quality.get("silhouette", np.full(len(self), np.nan)), float)[:, None]),
            "IPTS": table(self.source.T.astype(float)),
            "MUPULSES": json.dumps(pulses),
            "FSAMP": json.dumps(self.frame_rate),
            "IED": json.dumps(1e3 * self.spacing[1]),
            "EMG_LENGTH": json.dumps(frames),
            "NUMBER_OF_MUS": json.dumps(len(self)),
            "BINARY_MUS_FIRING": table(firing),
            "EXTRAS": table(np.zeros((0, 0))),
        }
        return json.dumps(content)


def _labels_of(truth: Sequence | MotorUnits) -> MotorUnits:
    labels = truth.labels if isinstance(truth, Sequence) else truth
    if labels is None:
        raise InputError("the sequence has no labels to score against; simulated, phantom and translated ones do")
    return labels
