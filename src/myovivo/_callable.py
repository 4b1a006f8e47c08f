"""Let `myovivo.simulate` be both the package and its main function.

`mv.simulate(seed=0)` is how it is typed; `import myovivo.simulate.firing` must work too. Importing a
submodule binds the *module* to its parent's attribute, so a function of the same name would be
there or not depending on who imported what first. A callable module has no such race.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


def make_callable(module_name: str, function: Callable[..., Any]) -> None:
    """Make the module `module_name` callable as `function`, with its signature and docstring."""
    module = sys.modules[module_name]

    class CallableModule(ModuleType):
        __signature__ = inspect.signature(function)

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

    module.__class__ = CallableModule
    module.__doc__ = function.__doc__
