"""Recordings that promise, or unfold to, more than they hold are refused before anything is made of them."""

import io
import struct
import zipfile
import zlib

import numpy as np
import pytest

import myovivo as mv
from myovivo.errors import FileError

WORDS = "data: data\ncontent: velocity\nframe_rate: 500\nspacing: [1.0e-3, 1.0e-3]\n"


def header(shape, dtype="<f4"):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue()


def zipped(path, content, zeros=0):
    """A `.npz` of one member, which ends in so many MB of zeros."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("data.npy", "w", force_zip64=True) as file,
    ):
        file.write(content)
        for _ in range(zeros):
            file.write(bytes(1 << 20))
    path.with_suffix(".yaml").write_text(WORDS)
    return path


def test_an_archive_that_unfolds_too_far_is_not_unfolded(tmp_path):
    path = zipped(tmp_path / "a.npz", header((300 * 16, 128, 128)), zeros=300)
    assert path.stat().st_size < 1e6
    with pytest.raises(FileError, match=r"it would unfold from .* kB to 300 MB, at most 256 MB are allowed"):
        mv.acquire(path)


def test_an_array_of_an_archive_that_is_not_there_is_not_made(tmp_path):
    path = zipped(tmp_path / "a.npz", header((10**7, 128, 128)))
    with pytest.raises(FileError, match=r"holds data\.npy, which promises 655360000000 bytes and has 128"):
        mv.acquire(path)


def test_an_array_that_is_not_there_is_not_made(tmp_path):
    (tmp_path / "a.npy").write_bytes(header((10**7, 128, 128)) + bytes(64))
    (tmp_path / "a.yaml").write_text(WORDS)
    with pytest.raises(FileError, match="is not a readable NPY file"):
        mv.acquire(tmp_path / "a.npy")


def test_frames_without_end_are_refused(tmp_path):
    with (tmp_path / "a.npy").open("wb") as file:  # sparse: it takes no room on the disk
        file.write(header((3, 1 << 14, 1 << 14)))
        file.truncate(file.tell() + 3 * (1 << 30))
    (tmp_path / "a.yaml").write_text(WORDS)
    with pytest.raises(FileError, match=r"3 x 16384 x 16384: no frames, or one of over 134217728 values"):
        mv.acquire(tmp_path / "a.npy")


def deflated(path, zeros):
    """A DICOM object of the deflated transfer syntax, with so many MB of zeros."""
    pydicom = pytest.importorskip("pydicom")
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    image = pydicom.Dataset()
    image.file_meta = pydicom.dataset.FileMetaDataset()
    image.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID = "1.2.3"
    image.Rows = 4
    image.save_as(path, enforce_file_format=True)
    head = path.read_bytes()
    start = 144 + struct.unpack("<I", head[140:144])[0]
    stream = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = b"".join([stream.compress(bytes(1 << 20)) for _ in range(zeros)] + [stream.flush()])
    path.write_bytes(head[:start] + body)
    return path


def test_a_deflated_dicom_that_unfolds_too_far_is_not_unfolded(tmp_path):
    path = deflated(tmp_path / "a.dcm", 300)
    assert path.stat().st_size < 1e6
    with pytest.raises(FileError, match=r"the data set would unfold from .* kB to 25[67](\.\d)? MB, at most 256 MB"):
        mv.acquire(path)
