"""Recordings to tissue velocity."""

from .._callable import make_callable
from .beamform import beamform
from .chain import acquire, acquire_domain
from .channel_data import ChannelData
from .inspection import Inspection, inspect

__all__ = ["ChannelData", "Inspection", "acquire", "acquire_domain", "beamform", "inspect"]

make_callable(__name__, acquire)
