"""Simulated muscle motion made to look recorded, with its labels kept, and measured.

    import myovivo as mv
    sim = mv.simulate(seed=0)          # a TVI sequence with its labels
    rec = mv.phantom(seed=0)           # a recording of the tissue phantom
    tvi = mv.acquire(rec)              # its TVI sequence

Names are loaded when they are first used, so that importing the package is quick; `__init__.pyi` lists them.
"""

import lazy_loader

from .version import __version__ as __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
