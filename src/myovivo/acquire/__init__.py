"""Recordings to tissue velocity."""

from .._callable import make_callable
from .chain import acquire, acquire_domain

__all__ = ["acquire", "acquire_domain"]

make_callable(__name__, acquire)
