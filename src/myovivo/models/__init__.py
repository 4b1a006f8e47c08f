"""Networks and losses of the translators."""

from .cyclegan import CycleGAN, ImagePool
from .discriminators import PatchDiscriminator
from .generators import ResnetGenerator

__all__ = ["CycleGAN", "ImagePool", "PatchDiscriminator", "ResnetGenerator"]
