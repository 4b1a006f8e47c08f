"""The tissue phantom: a stand-in where no in vivo recordings are at hand."""

from .._callable import make_callable
from .recording import phantom, phantom_domain

__all__ = ["phantom", "phantom_domain"]

make_callable(__name__, phantom)
