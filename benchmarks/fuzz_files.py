"""Small valid files of every kind that is read, for `fuzz.py` to break; functions write one and return its path."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io
import yaml

from myovivo.sequences.recording import Recording
from myovivo.sequences.sequence import Sequence

RATE, FRAMES, SAMPLES, ELEMENTS = 500.0, 12, 160, 16
SCAN = {"fs": 20e6, "fc": 5e6, "pitch": 0.3e-3, "c": 1540.0, "t0": 5e-6, "PRF": RATE, "Nelements": ELEMENTS}
LABELS = {"spike_times": [[0.05], [0.1]], "centre": [[2e-3, 2e-3], [5e-3, 5e-3]], "diameter": [2e-3, 3e-3]}


def echoes() -> Any:
    """RF (T, S, E) int16: noise in the band of the pulse is enough for a reader."""
    t = np.arange(SAMPLES)[:, None] / SCAN["fs"]
    phase = np.random.default_rng(0).uniform(0, 6, (FRAMES, 1, ELEMENTS))
    return np.rint(1000 * np.cos(2 * np.pi * SCAN["fc"] * t + phase)).astype(np.int16)


def wave() -> Any:
    """Velocity (T, Z, X), m/s."""
    return (1e-3 * np.random.default_rng(1).standard_normal((120, 16, 16))).astype(np.float32)


def matlab5(folder: Path) -> Path:
    variables = {"RF": echoes().transpose(1, 2, 0), "param": {**SCAN, "TXdelay": np.zeros((1, ELEMENTS))}}
    scipy.io.savemat(folder / "must.mat", variables)
    return folder / "must.mat"


def matlab5_packed(folder: Path) -> Path:
    cells = np.empty((1, FRAMES), object)
    cells[0, :] = list(echoes())
    variables = {"RF": cells, "param": SCAN, "note": "a text"}
    scipy.io.savemat(folder / "cells.mat", variables, do_compression=True)
    layout = {"data": "RF", "content": "rf", "axes": "sample element frame", "sampling_frequency": "param.fs"}
    layout |= {"centre_frequency": "param.fc", "pitch": "param.pitch", "frame_rate": "param.PRF"}
    (folder / "cells.yaml").write_text(yaml.safe_dump(layout))
    return folder / "cells.mat"


def matlab73(folder: Path) -> Path:
    path = folder / "new.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset("RF", data=echoes().transpose(0, 2, 1)).attrs["MATLAB_class"] = np.bytes_("int16")
        for name, value in SCAN.items():
            file.create_dataset(f"param/{name}", data=[[value]]).attrs["MATLAB_class"] = np.bytes_("double")
        file["param"].attrs["MATLAB_class"] = np.bytes_("struct")
    head = b"MATLAB 7.3 MAT-file".ljust(124, b" ") + b"\x00\x02IM"
    path.write_bytes(head.ljust(512, b"\x00") + path.read_bytes()[512:])
    return path


def pybf(folder: Path) -> Path:
    with h5py.File(folder / "pybf.h5", "w") as file:
        for number, record in enumerate(echoes(), 1):
            file[f"data/rf_data/frame_{number}/shot_1"] = record.T
        file["data/fps"], file["hardware_params/f_sampling_hz"] = RATE, SCAN["fs"]
        file["trans_params/f_central"], file["trans_params/x_pitch"] = SCAN["fc"], SCAN["pitch"]
    return folder / "pybf.h5"


def zea(folder: Path) -> Path:
    with h5py.File(folder / "zea.h5", "w") as file:
        file["data/raw_data"] = echoes()[:, None, :, :, None].astype(np.float32)
        file["scan/sampling_frequency"], file["scan/center_frequency"] = SCAN["fs"], SCAN["fc"]
        file["scan/sound_speed"], file["scan/initial_times"] = SCAN["c"], [SCAN["t0"]]
        file["scan/t0_delays"] = np.zeros((1, ELEMENTS))
        file["scan/time_to_next_transmit"] = np.full((FRAMES, 1), 1 / RATE)
        x = (np.arange(ELEMENTS) - (ELEMENTS - 1) / 2) * SCAN["pitch"]
        file["probe/probe_geometry"] = np.stack([x, 0 * x, 0 * x], 1)
        file["metadata/subject/id"] = "s1"
    return folder / "zea.h5"


def uff(folder: Path) -> Path:
    import pyuff_ustb as pyuff

    probe = pyuff.LinearArray(N=ELEMENTS, pitch=SCAN["pitch"], element_width=2e-4, element_height=5e-3)
    plane = pyuff.Wave(
        source=pyuff.Point(distance=np.inf, azimuth=0.0, elevation=0.0),
        origin=pyuff.Point(distance=0.0, azimuth=0.0, elevation=0.0),
        probe=probe,
        sound_speed=SCAN["c"],
        delay=0.0,
        wavefront=pyuff.Wavefront.plane,
    )
    channels = pyuff.ChannelData(
        probe=probe,
        sampling_frequency=SCAN["fs"],
        initial_time=SCAN["t0"],
        sound_speed=SCAN["c"],
        modulation_frequency=0.0,
        pulse=pyuff.Pulse(center_frequency=SCAN["fc"]),
        PRF=RATE,
        data=echoes().transpose(1, 2, 0)[:, :, None].astype(np.float32),
        sequence=plane,
    )
    channels.write(str(folder / "scan.uff"), "channel_data", ignore_missing_compulsory_fields=True)
    return folder / "scan.uff"


def npy(folder: Path) -> Path:
    np.save(folder / "wave.npy", wave())
    beside = {"data": "data", "content": "velocity", "axes": "frame depth lateral"}
    (folder / "wave.yaml").write_text(yaml.safe_dump({**beside, "frame_rate": RATE, "spacing": [5e-4, 5e-4]}))
    return folder / "wave.npy"


def npz(folder: Path) -> Path:
    iq = np.random.default_rng(2).standard_normal((12, 32, 16, 2)) @ [1, 1j]
    np.savez_compressed(folder / "iq.npz", frames=iq.astype(np.complex64), rate=RATE, dz=1e-4)
    layout = {"data": "frames", "content": "iq", "axes": "frame depth lateral", "frame_rate": "rate"}
    (folder / "iq.yaml").write_text(yaml.safe_dump({**layout, "spacing": [1e-4, 3e-4], "centre_frequency": 5e6}))
    return folder / "iq.npz"


def dicom(folder: Path) -> Path:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID = generate_uid(entropy_srcs=["a"])
    image.NumberOfFrames, image.Rows, image.Columns, image.FrameTime = "9", 48, 64, "20"
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated = image.BitsStored = 8
    image.HighBit, image.PixelRepresentation = 7, 0
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinX0 = region.RegionLocationMinY0 = 0
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 63, 47
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX = region.PhysicalDeltaY = 0.02
    image.SequenceOfUltrasoundRegions = [region]
    image.PixelData = np.random.default_rng(3).integers(0, 256, (9, 48, 64)).astype(np.uint8).tobytes()
    image.save_as(folder / "cine.dcm", enforce_file_format=True)
    return folder / "cine.dcm"


def video(folder: Path, name: str = "clip.mp4", codec: str = "mp4v") -> Path:
    import cv2

    picture = np.random.default_rng(4).integers(0, 256, (64, 96, 3)).astype(np.uint8)
    writer = cv2.VideoWriter(str(folder / name), cv2.VideoWriter_fourcc(*codec), 50.0, (96, 64))
    for frame in range(16):
        writer.write(np.roll(picture, frame % 3, 0))
    writer.release()
    return folder / name


def matroska(folder: Path) -> Path:
    return video(folder, "clip.mkv", "FFV1")


def notes(folder: Path) -> Path:
    """What stands beside a video; the video is what is read."""
    video(folder, "p1_clip.mp4")
    values = {"px2mmX": 0.2, "px2mmY": 0.2, "ulcornerx": 4, "ulcornery": 4, "nx": 80, "ny": 48}
    scipy.io.savemat(folder / "p1_params.mat", {"Params": values})
    return folder / "p1_params.mat"


def recording(folder: Path) -> Path:
    iq = np.random.default_rng(5).standard_normal((12, 32, 16)).astype(np.complex64)
    made = Recording.of_array(iq, frame_rate=RATE, spacing=(1e-4, 3e-4), centre_frequency=5e6, subject="a")
    made.save(folder / "ours.h5")
    return folder / "ours.h5"


def sequence(folder: Path) -> Path:
    made = Sequence.from_array(wave(), frame_rate=RATE, spacing=5e-4, labels=LABELS, subject="a")
    return made.save(folder / "sequence.h5")


def labels(folder: Path) -> Path:
    """Labels beside an array; the array is what is read."""
    npy(folder)
    (folder / "wave_labels.json").write_text(json.dumps(LABELS))
    return folder / "wave_labels.json"


def mapping(folder: Path) -> Path:
    npy(folder)
    return folder / "wave.yaml"


def firings() -> list[Any]:
    rng = np.random.default_rng(6)
    return [np.cumsum(rng.uniform(0.07, 0.13, 60)) for _ in range(4)]


def bids(folder: Path) -> Path:
    rows = [f"{time:.4f}\t0\t{unit}" for unit, times in enumerate(firings()) for time in times]
    (folder / "events.tsv").write_text("\n".join(["onset\tduration\tmotor_unit", *rows]) + "\n")
    return folder / "events.tsv"


def openhdemg(folder: Path) -> Path:
    pulses = [np.rint(2048 * times).astype(int).tolist() for times in firings()]
    (folder / "hdemg.json").write_text(json.dumps({"FSAMP": "2048.0", "MUPULSES": json.dumps(pulses)}))
    return folder / "hdemg.json"


def pulses(folder: Path) -> Path:
    cells = np.empty((1, 4), object)
    cells[0, :] = [np.rint(2048 * times)[None] for times in firings()]
    scipy.io.savemat(folder / "pulses.mat", {"MUPulses": cells, "fsamp": 2048.0}, do_compression=True)
    return folder / "pulses.mat"


BASES: dict[str, tuple[Callable[[Path], Path], ...]] = {
    "MATLAB v5": (matlab5, matlab5_packed),
    "MATLAB v7.3": (matlab73,),
    "HDF5": (pybf, zea),
    "UFF": (uff,),
    "NPY": (npy,),
    "NPZ": (npz,),
    "DICOM": (dicom,),
    "video": (video, matroska),
    "notes beside video": (notes,),
    "recording": (recording,),
    "sequence": (sequence,),
    "mapping": (mapping,),
    "labels": (labels,),
    "BIDS events": (bids,),
    "openhdemg": (openhdemg,),
    "MUPulses": (pulses,),
}
