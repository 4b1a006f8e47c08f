"""What the pixels of a DICOM picture mean: their grey levels as a viewer shows them, 0 black to 255 white.

DICOM PS3.3 C.7.6.3 (photometric interpretation, palettes, signed pixels) and C.11.1 (modality LUT, rescale slope).
Windows (VOI LUT) are a viewer's choice and are left alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError

_LUMINANCE = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601

_ONE_SAMPLE = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")

_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")  # which the decoder gives as RGB


class Grey:
    """Grey levels of decoded pictures by what the header says of them.

    Parameters
    ----------
    head : of the file

    Raises
    ------
    InputError : a header that leaves open what the pixels mean.
    """

    def __init__(self, head: Any):
        self.head = head
        self.photometric = str(head.get("PhotometricInterpretation", "")).strip()
        samples = int(head.get("SamplesPerPixel", 1))
        fitting = {1: _ONE_SAMPLE, 3: _COLOUR}.get(samples, ())
        if self.photometric not in fitting:
            raise InputError(
                f"pixels of PhotometricInterpretation {self.photometric or 'unsaid'} with {samples} samples are not "
                f"read ({', '.join((*_ONE_SAMPLE, *_COLOUR))} are); export grey or RGB"
            )
        if head.get("BitsStored") is None:
            raise InputError("says no BitsStored, as pictures of whole numbers do; export 8-bit grey or RGB")
        self.bits = int(head.BitsStored)
        if int(head.get("HighBit", self.bits - 1)) != self.bits - 1:
            raise InputError(f"its {self.bits} bits end at bit {head.HighBit}, not {self.bits - 1}; export it again")
        self.is_signed = int(head.get("PixelRepresentation", 0)) == 1
        self.slope = self._number("RescaleSlope", 1.0)
        self.intercept = self._number("RescaleIntercept", 0.0)
        if self.slope == 0:
            raise InputError("a RescaleSlope of 0 makes all pixels equal; export it again")
        if self.photometric == "PALETTE COLOR":
            self._require_palette()

    def __call__(self, picture: NDArray[Any]) -> NDArray[np.uint8]:
        """(Z, X), or (Z, X, 3) of colour, as stored -> (Z, X) grey levels."""
        if self.photometric == "PALETTE COLOR":
            level = self._through_palette(picture)
        elif picture.ndim == 3:
            level = picture @ _LUMINANCE * (255 / (2**self.bits - 1))
        else:
            level = self._through_modality(picture)
            level = 255 - level if self.photometric == "MONOCHROME1" else level
        return np.rint(np.clip(level, 0, 255)).astype(np.uint8)

    def _through_modality(self, picture: NDArray[Any]) -> NDArray[np.float64]:
        """Stored values through the modality LUT, or the rescale slope and intercept; its range becomes 0..255."""
        if table := self.head.get("ModalityLUTSequence"):
            from pydicom.pixels import apply_modality_lut

            bits = int(table[0].LUTDescriptor[2])
            return np.asarray(apply_modality_lut(picture, self.head), float) * (255 / (2**bits - 1))
        low = -(2 ** (self.bits - 1)) if self.is_signed else 0
        ends = self.slope * np.array([low, low + 2**self.bits - 1]) + self.intercept
        return (self.slope * picture.astype(float) + self.intercept - ends.min()) * (255 / np.ptp(ends))

    def _through_palette(self, picture: NDArray[Any]) -> NDArray[np.float64]:
        from pydicom.pixels import apply_color_lut

        colour = apply_color_lut(picture, self.head)[..., :3].astype(float)
        # Some writers keep 8-bit levels in tables of 16 bits.
        return colour @ _LUMINANCE * (255 / (2 ** self._palette_bits() - 1))

    def _palette_bits(self) -> int:
        tables = [f"{name}PaletteColorLookupTableData" for name in ("Red", "Green", "Blue")]
        said = int(self.head.RedPaletteColorLookupTableDescriptor[2])
        if said != 16 or any(self.head.get(name) is None for name in tables):
            return said
        order = "<" if self.head.original_encoding[1] is not False else ">"
        highest = max(np.frombuffer(bytes(self.head[name].value), f"{order}u2").max(initial=0) for name in tables)
        return 8 if highest <= 255 else 16

    def _require_palette(self) -> None:
        for colour in ("Red", "Green", "Blue"):
            name = f"{colour}PaletteColorLookupTable"
            has_data = f"{name}Data" in self.head or f"Segmented{name}Data" in self.head
            if f"{name}Descriptor" not in self.head or not has_data:
                raise InputError(f"pixels of PALETTE COLOR need the table {name}; export grey or RGB")

    def _number(self, name: str, default: float) -> float:
        value = self.head.get(name)
        number = default if value in (None, "") else float(value)
        if not np.isfinite(number):
            raise InputError(f"{name} must be a finite number, got {value}; export it again")
        return number
