"""Which acquisitions of a Verasonics workspace make the frames: where they lie, what was sent for each, and when."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....errors import InputError
from .frames import Place
from .workspace import Workspace


class Receives(NamedTuple):
    """The acquisitions of one buffer, in the order they were made, and what was sent for each."""

    number: NDArray[np.int_]  # of Receive, from 0
    frame: NDArray[np.int_]  # of the buffer, from 0
    start: NDArray[np.int_]  # first sample, from 0
    samples: int
    transmit: NDArray[np.int_]  # of TX, from 0


def receive_buffer(work: Workspace, buffer: int | None) -> tuple[Any, int]:
    """The receive buffer to be read, and its number from 0."""
    cells = work.cells("RcvData")
    used = sorted(set(work.counts("Receive", "bufnum", 1) - 1)) or [0]
    full = [int(number) for number in used if 0 <= number < len(cells) and _is_filled(cells[number].shape)]
    if buffer is not None:
        if buffer - 1 not in full:
            raise InputError(f"scan.buffer must be one of {[number + 1 for number in full]}, got {buffer}")
        return cells[buffer - 1], buffer - 1
    if not full:
        raise InputError("RcvData is empty in every buffer that Receive names; save it after the acquisition")
    if len(full) > 1:
        sizes = ", ".join(f"{number + 1}: {' x '.join(map(str, cells[number].shape))}" for number in full)
        raise InputError(f"RcvData has {len(full)} buffers ({sizes}); name one with scan.buffer")
    return cells[full[0]], full[0]


def _is_filled(shape: tuple[int, ...]) -> bool:
    return len(shape) in (2, 3) and 0 not in shape


def receives_of(work: Workspace, buffer: int, shape: tuple[int, ...]) -> Receives:
    """Every acquisition of a buffer by frame and number.

    Raises
    ------
    InputError : accumulated ones, ones of different lengths, or beyond the end of the buffer.
    """
    # What Receive and Event tell of every acquisition.
    fields = {"bufnum": 1, "framenum": 1, "acqNum": 1, "mode": 0, "startSample": 0, "endSample": 0}
    of = {name: work.counts("Receive", name, default) for name, default in fields.items()}
    start, end, count = of["startSample"], of["endSample"], len(of["startSample"])
    if not count or not start.all() or not end.all():
        raise InputError("Receive has no startSample and endSample for each acquisition; save it after VSX has run")
    transmit = _transmits(work, count)

    # Those of the buffer, in the order of their numbers.
    chosen = np.flatnonzero((of["bufnum"] == buffer + 1) & (transmit >= 0))
    if not len(chosen):
        raise InputError(f"no Event receives into buffer {buffer + 1}; save Event and Receive of the same run")
    chosen = chosen[np.lexsort((of["acqNum"][chosen], of["framenum"][chosen]))]
    frame, first, last = of["framenum"][chosen], start[chosen], end[chosen]

    # Whether they can be told apart and lie in the buffer.
    if np.any(of["mode"][chosen] != 0):
        raise InputError(
            "Receive.mode accumulates acquisitions, which may cancel each other; save single ones (mode 0)"
        )
    lengths = np.unique(last - first + 1)
    if len(lengths) > 1:
        raise InputError(
            f"acquisitions of buffer {buffer + 1} are of {lengths.min()} to {lengths.max()} samples, of more than one "
            "sequence; save each to a buffer of its own"
        )
    rows, _, frames = (*shape, 1)[:3]
    if last.max() > rows or first.min() < 1 or frame.max() > frames or frame.min() < 1 or lengths[0] < 1:
        raise InputError(
            f"Receive goes from sample {first.min()} to {last.max()} of frame {frame.max()}, but "
            f"RcvData{{{buffer + 1}}} has {rows} samples and {frames} frames"
        )
    if len(set(zip(frame, of["acqNum"][chosen], strict=True))) < len(chosen):
        raise InputError("Receive has several acquisitions of the same framenum and acqNum; save single ones")
    order = _since_oldest(work, buffer, frame - 1, frames)
    return Receives(chosen[order], frame[order] - 1, first[order] - 1, int(lengths[0]), transmit[chosen[order]])


def _since_oldest(work: Workspace, buffer: int, frame: NDArray[np.int_], frames: int) -> NDArray[np.int_]:
    """Buffers are filled round and round: the order that begins with the frame after the last one filled."""
    last = work.counts("Resource.RcvBuffer", "lastFrame", 0)
    newest = int(last[buffer]) if buffer < len(last) else 0
    if not 0 < newest < frames:
        return np.arange(len(frame))
    return np.argsort((frame - newest) % frames, kind="stable")


def _transmits(work: Workspace, count: int) -> NDArray[np.int_]:
    """(Receives,) the TX of each, from 0; -1 for those that no Event makes."""
    transmit = np.full(count, -1)
    sent, received = work.counts("Event", "tx", 0), work.counts("Event", "rcv", 0)
    if len(received):
        for number, (tx, rcv) in enumerate(zip(sent, received, strict=True), 1):
            if not (rcv and tx):
                continue
            if not 1 <= rcv <= count or tx < 0:
                raise InputError(
                    f"Event {number} names Receive {rcv:g}, but there are {count}; save both of the same run"
                )
            transmit[rcv - 1] = tx - 1
        return transmit
    number, waves = work.counts("Receive", "acqNum", 1), len(work.column("TX", "Delay"))
    if number.max() > waves or number.min() < 1:
        raise InputError(f"Event is not saved, and {number.max()} acquisitions have {waves} TX; save Event, too")
    return number - 1


class WaveGroups(NamedTuple):
    """Acquisitions as frames of waves."""

    places: list[list[list[Place]]]  # frames, waves, one or (interleaved) two acquisitions
    delays: NDArray[np.float64]  # (W, E)
    leads: NDArray[np.float64]  # (W,)
    first: NDArray[np.int_]  # of each frame, among the acquisitions


def grouped_waves(
    work: Workspace,
    receives: Receives,
    delays: NDArray[np.float64],
    leads: NDArray[np.float64],
    together: int,
    rate: float,
) -> WaveGroups:
    """Which acquisitions are the waves of one frame: as many as come before the transmits repeat.

    Parameters
    ----------
    delays, leads : (acquisitions, E) transmit delays, and (acquisitions,) times of the first sample, s
    together : acquisitions that are interleaved
    rate : samples per second of each

    Raises
    ------
    InputError : frames of different acquisitions, or interleaved ones that were not sent half a sample apart.
    """
    if len(receives.frame) % together:
        raise InputError(f"NS200BWI needs pairs of acquisitions, got {len(receives.frame)} of them")
    whole = np.arange(len(receives.frame)).reshape(-1, together)
    if together == 2:  # the one that was sent later has the earlier samples
        late = np.nanmean(delays[whole[:, 1]] - delays[whole[:, 0]], 1)
        if not np.abs(np.abs(late) * rate - 0.5).max() < 0.1:
            raise InputError(
                f"pairs of NS200BWI must be sent half a sample apart, {0.5e9 / rate:.3g} ns, got "
                f"{np.abs(late).min() * 1e9:.3g} ns; check TX.Delay"
            )
        whole = np.where(late[:, None] > 0, whole[:, ::-1], whole)
    heard = work.vectors("Receive", "Apod")
    ears = [heard[number] if number < len(heard) else None for number in receives.number]
    kinds = [_kind(delays[first], float(leads[first]), ears[first]) for first in whole[:, 0]]
    waves = _period(kinds, receives.frame[whole[:, 0]])
    table = whole.reshape(-1, waves, together)
    places = [[[_place(receives, number) for number in pair] for pair in row] for row in table]
    first = table[0, :, 0]
    return WaveGroups(places, delays[first], leads[first], table[:, 0, 0])


def _kind(delays: NDArray[np.float64], lead: float, ear: Any) -> tuple[bytes, float, bytes]:
    """What tells an acquisition from others: what was sent, when it begins, and which elements listen."""
    return delays.tobytes(), lead, b"" if ear is None else np.asarray(ear).tobytes()


def _place(receives: Receives, number: int) -> Place:
    return Place(int(receives.frame[number]), int(receives.start[number]))


def _period(kinds: list[Any], frame: NDArray[np.int_]) -> int:
    """After how many acquisitions the transmits repeat, the same in every frame of the buffer."""
    counts = {int(np.count_nonzero(frame == number)) for number in np.unique(frame)}
    if len(counts) > 1:
        raise InputError(
            f"frames of the buffer have {min(counts)} to {max(counts)} acquisitions; they must have as many"
        )
    count = counts.pop()
    for period in range(1, count + 1):
        if count % period == 0 and all(kind == kinds[place % period] for place, kind in enumerate(kinds)):
            return period
    raise InputError("frames of the buffer have different transmits; save each sequence to a buffer of its own")


def frame_times(work: Workspace, receives: Receives, first: NDArray[np.int_]) -> NDArray[np.float64] | None:
    """(T,) s, when each frame began, from timeToNextAcq of every Event; None if one does not tell."""
    commands, arguments = work.column("SeqControl", "command"), work.column("SeqControl", "argument")
    wait = {
        number: float(argument) * 1e-6
        for number, (command, argument) in enumerate(zip(commands, arguments, strict=True), 1)
        if isinstance(command, str)
        and command.startswith("timeToNext")
        and isinstance(argument, float)
        and argument > 0
    }
    clock: float | None = 0.0
    began: dict[int, float | None] = {}
    events = (work.counts("Event", "tx", 0), work.counts("Event", "rcv", 0), work.vectors("Event", "seqControl"))
    for tx, rcv, controls in zip(*events, strict=True):
        if rcv:
            began.setdefault(int(rcv) - 1, clock)
        steps = [wait[number] for number in ([] if controls is None else controls) if number in wait]
        if steps and clock is not None:
            clock += steps[0]
        elif tx or rcv:
            clock = None
    times = [began.get(int(number)) for number in receives.number[first]]
    known = [time for time in times if time is not None]
    if len(known) < len(times) or len(known) < 2:
        return None
    return np.sort(known)  # a buffer filled round and round begins with its oldest frame
