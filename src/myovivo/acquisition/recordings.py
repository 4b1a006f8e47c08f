"""Open a recording of any format read: where its frames are, and what it says of itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import FileError, InputError
from ..sequences.recording import Recording
from .content import Content, Kind, parameter, said, without_rivals
from .formats import FORMATS, Format, format_of
from .readers.dicom import read_dicom
from .readers.hdf5 import Hdf5Store
from .readers.layout import (
    NO_LAYOUT,
    apply,
    array_name,
    describe_arrays,
    fits,
    read_layout,
    ready_layouts,
    sidecar_of,
)
from .readers.matlab import MatlabStore
from .readers.numpy_file import NumpyStore
from .readers.store import Store
from .readers.uff import channel_data_in, read_uff
from .readers.ultrasonix import is_daq_folder, read_daq, read_rf
from .readers.verasonics.reading import is_verasonics, read_verasonics
from .readers.video import read_video
from .settings import Scan

_RAW = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

_SELF_DESCRIBING = ("recording", "video", "dicom", "uff")


def open_recording(
    path: str | Path, scan: Scan | None = None, mapping: str | Path | None = None
) -> Recording | Content:
    """Open a file of any format read.

    Parameters
    ----------
    path : the file
    scan : what the user says of it
    mapping : a file that says where in it the frames and parameters are (see `readers.layout`)

    Returns
    -------
    Recording or Content
        a recording of `Recording.save`, else frames with the parameters found

    Raises
    ------
    FileError : missing, broken, of no format read, or without anything that says what its arrays are.
    """
    path, scan = Path(path), scan or Scan()
    if path.is_dir() and not is_daq_folder(path):
        raise FileError(path, "is a folder; give one of the recordings in it, or use acquire_domain")
    if not path.exists():
        raise FileError(path, "does not exist; check the path")
    try:
        return _opened(path, scan, mapping)
    except InputError as error:
        raise FileError(path, str(error)) from error
    except _RAW as error:
        raise FileError(path, unread(error)) from error


def unread(error: Exception) -> str:
    """A library's complaint about a file as part of our one line."""
    told = " ".join(str(error).split())[:100]
    return f"cannot be read ({type(error).__name__}: {told}); check how it was saved"


def _opened(path: Path, scan: Scan, mapping: str | Path | None) -> Recording | Content:
    kind = format_of(path)
    if kind is None:
        known = f"is of none of the formats read ({FORMATS}); convert it to one of them"
        raise FileError(path, "is empty; copy it again" if path.stat().st_size == 0 else known)
    if kind == "sequence":
        raise FileError(path, "is a TVI sequence already; it needs no acquisition")
    if kind in _SELF_DESCRIBING:
        _refuse_words(scan, mapping, f"a file that describes itself ({kind})")
    if kind == "recording":
        recording, given = Recording.load(path), said(scan, "iq")
        if unheard := sorted({"pulse_rate", "sign"} & set(given)):
            raise InputError(f"scan.{unheard[0]} does not apply to a file of Recording.save; leave it out")
        return replace(recording, **given)
    if kind == "video":
        return read_video(path).with_arguments(scan)
    if kind == "dicom":
        return read_dicom(path).with_arguments(scan)
    if kind == "uff":
        return read_uff(path, channel_data_in(path) or "").with_arguments(scan)
    if kind == "ultrasonix":
        return _of_ultrasonix(path, scan, mapping)
    is_hdf5 = kind == "matlab73"
    if kind in ("matlab5", "matlab73") and mapping is None and scan.variable is None and is_verasonics(path, is_hdf5):
        _refuse_words(scan, None, "a workspace of Verasonics", but="buffer")
        return _with_sidecar(read_verasonics(path, is_hdf5, scan.buffer), path).with_arguments(scan)
    if scan.buffer is not None:
        raise InputError("scan.buffer is for workspaces of Verasonics that are read as they are; leave it out")
    store = store_of(path, kind)
    return _in_store(store, scan, mapping).with_arguments(scan)


def _of_ultrasonix(path: Path, scan: Scan, mapping: str | Path | None) -> Content:
    """A `.rf` file, or a folder with a file for each channel; with several angles, as many frames are one."""
    waves = len(scan.angles or (0.0,))
    if path.is_dir():
        _refuse_words(scan, mapping, "a folder of channels", but="variable")
        content = read_daq(path, waves, scan.variable)
    else:
        _refuse_words(scan, mapping, "a .rf file", but="content")
        content = read_rf(path, scan.content)
    return _with_sidecar(content, path).with_arguments(scan)


def _refuse_words(scan: Scan, mapping: str | Path | None, file: str, but: str = "") -> None:
    """What says where things are in a file that needs no telling."""
    names = {"variable", "content", "axes", "buffer"} - {but}
    words = {"mapping": mapping} | {f"scan.{name}": getattr(scan, name) for name in sorted(names)}
    if unheard := [word for word, value in words.items() if value is not None]:
        raise InputError(f"{unheard[0]} means nothing for {file}; leave it out")


def _with_sidecar(content: Content, path: Path) -> Content:
    """What stands beside a file that describes itself: values, in place of its own or where it has none.

    Raises
    ------
    InputError : the sidecar names places in the file.
    """
    if (sidecar := sidecar_of(path)) is None:
        return content
    layout = read_layout(sidecar, "sidecar")
    places = [word for word, wheres in layout.parameters.items() if any(where.at is not None for where in wheres)]
    if layout.data or layout.axes or layout.content or places:
        word = places[0] if places else "data, content or axes"
        raise InputError(f"{sidecar.name} says where {word} is, but this file needs no telling; leave it out")
    values = {word: parameter(word, wheres[0].value, wheres[0].origin) for word, wheres in layout.parameters.items()}
    return replace(content, parameters=without_rivals(content.parameters, values) | values)


def store_of(path: Path, kind: Format) -> Store:
    """A file of named arrays."""
    if kind == "matlab5":
        return MatlabStore(path)
    if kind in ("npy", "npz"):
        return NumpyStore(path, zipped=kind == "npz")
    return Hdf5Store(path, matlab=kind == "matlab73")


def _in_store(store: Store, scan: Scan, mapping: str | Path | None) -> Content:
    """An array and its parameters: by the mapping, else by a ready layout and a sidecar, else by the user's words."""
    if mapping is not None:
        layout = read_layout(mapping)
        asked = layout.parameters
    else:
        asked = {}
        layout = next((ready for ready in ready_layouts() if fits(ready, store, scan.variable)), NO_LAYOUT)
        if (sidecar := sidecar_of(store.path)) is not None:
            beside = read_layout(sidecar, "sidecar")
            layout, asked = layout.overlaid(beside), beside.parameters
    name = scan.variable or array_name(layout, store) or (None if layout.data else _only(store))
    if name is None or not store.has(name):
        wanted = scan.variable or " or ".join(layout.data)
        raise InputError(f"there is no array {wanted}; {describe_arrays(store)}")
    told = {word for word, value in scan.model_dump().items() if value is not None} | set(layout.parameters)
    kind = scan.content or layout.content or _guessed_kind(store, name, told)
    axes = (scan.axes,) if scan.axes else layout.axes
    origin = "argument" if scan.axes else f"layout {layout.name}" if layout.axes else "default"
    return replace(apply(layout._replace(axes=axes), store, name, kind), axes_origin=origin, asked=tuple(asked))


def _only(store: Store) -> str:
    arrays = {name: shape for name, shape in store.arrays().items() if len(shape) >= 3} or store.arrays()
    if len(arrays) != 1:
        raise InputError(
            f"no layout fits its variables, so name the array with scan.variable, or give a mapping file; "
            f"{describe_arrays(store)}"
        )
    return next(iter(arrays))


def _guessed_kind(store: Store, name: str, told: set[str]) -> Kind:
    """What an array must be, given what else was told about it."""
    source = store.source(name)
    is_complex = np.dtype(source.dtype).kind == "c" or np.dtype(source.dtype).names is not None
    if told & {"pitch", "element_x", "sampling_frequency"}:
        return "channel_iq" if is_complex else "rf"
    if told & {"spacing", "depth_axis"}:
        return "iq" if is_complex else "velocity"
    raise InputError(
        "says nothing of its scan; give frame_rate (Hz) and spacing (dz, dx in m) if it holds velocity, "
        f"or scan.content, or a mapping file; {describe_arrays(store)}"
    )
