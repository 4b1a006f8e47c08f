"""The process of a step: `python -m myovivo.studies.process` does what its standard input describes."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

from ..errors import MyovivoError
from ..runtime.recipe import locked
from .steps import ORPHAN_S


def main() -> int:
    """Do the step that standard input describes; leave at once when standard input closes."""
    with open(0, "rb", buffering=0, closefd=False) as stream:  # unbuffered: a thread that waits in it holds no lock
        order = json.loads(stream.readline())
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    warnings.showwarning = _one_line
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what it starts with `&` ignore it
    module, _, name = order["work"].partition(":")
    try:
        with locked(Path(order["lock"]), Path(order["folder"]), ORPHAN_S):
            work = getattr(importlib.import_module(module), name)
            inputs = {name: Path(path) for name, path in order["inputs"].items()}
            work(Path(order["folder"]), inputs, order["runtime"], **order["arguments"])
    except MyovivoError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
        return 2
    except MemoryError:
        print("error: not enough memory; give the study fewer jobs, or more memory", file=sys.stderr, flush=True)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _one_line(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
    print(f"warning: {' '.join(str(message).split())}", file=sys.stderr, flush=True)


def _leave_with_parent() -> None:
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGINT)  # a training saves first
    time.sleep(ORPHAN_S / 2)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
