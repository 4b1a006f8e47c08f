"""Where the command line begins: which command, how it ends, and what goes to standard error.

Nothing is loaded here before it is used: help answers at once, and an interruption while loading is one line too.
"""

from __future__ import annotations

import _thread
import atexit
import contextlib
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from typing import Any

INTERRUPTED = 130

_PATIENCE_S = 3.0  # for workers to be ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status: 0, 2 for what a user can mend, 130 when interrupted or terminated."""
    is_process = arguments is None
    sys.unraisablehook = _keep_interruption
    if is_process:
        _terminate_as_interrupted()
    status = _status(list(sys.argv[1:] if arguments is None else arguments), is_process)
    if is_process and status == INTERRUPTED:
        _leave(status)
    if is_process:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is done; what Python clears away needs no interruption
    return status


def _status(arguments: list[str], is_process: bool) -> int:
    try:
        status = _run(arguments)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever reads has enough, as `head` has
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, open to the end, where Python flushes it
        return 0
    except KeyboardInterrupt:
        return _print_interrupted(is_process)
    except ImportError as error:
        if isinstance(error.__cause__, KeyboardInterrupt):  # what a library in C makes of it while it is loaded
            return _print_interrupted(is_process)
        raise


def _run(arguments: list[str]) -> int:
    from ..errors import MyovivoError
    from .catalogue import COMMANDS, command_class

    warnings.showwarning = _print_warning
    try:
        name, *rest = arguments or [""]
        if name in COMMANDS:
            from .parse import parse

            _carry_out(parse(name, command_class(name), rest))
        else:
            _answer_without_command(name)
    except MyovivoError as error:
        return _print_error(str(error))
    except BrokenPipeError:
        raise
    except MemoryError:
        return _print_error("there is not enough memory for that; take fewer workers, or smaller sequences")
    except OSError as error:  # a disk, a permission, a name too long: nothing to trace
        return _print_error(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    return 0


def _carry_out(command: Any) -> None:
    if getattr(command, "print_settings", False):
        from .values import as_yaml

        print(as_yaml(command.settings()), end="")
        raise SystemExit(0)
    if getattr(command, "scheduler", None) is None:
        command.call()
        return
    from ..runtime.parallel import on_cluster

    with on_cluster(command.scheduler):
        command.call()


def _answer_without_command(name: str) -> None:
    """What `myovivo` says when its first word is no command."""
    from ..errors import InputError
    from ..runtime.words import did_you_mean
    from ..version import __version__
    from .catalogue import COMMANDS, overview

    if name in ("-h", "--help", "--help-all"):
        print(overview())
    elif name == "--version":
        print(f"myovivo {__version__}")
    elif not name:
        raise InputError("the following arguments are required: COMMAND; see myovivo --help")
    elif name.startswith("-"):
        raise InputError(f"there is no option {name}; see myovivo --help")
    else:
        raise InputError(f"there is no command {name}{did_you_mean(name, COMMANDS) or ';'} see myovivo --help")


def _keep_interruption(unraisable: Any) -> None:
    """An interruption in the midst of a callback, from where Python lets nothing be raised, comes again right after."""
    if not isinstance(unraisable.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
        return
    import threading

    again = threading.Timer(0.01, _thread.interrupt_main)  # from here at once it would be lost as well
    again.daemon = True
    again.start()


def _print_interrupted(is_process: bool) -> int:
    if is_process:  # one word is enough: another interruption would only disturb what is cleared away
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
    print("interrupted; run the same command again to go on", file=sys.stderr)
    return INTERRUPTED


def _terminate_as_interrupted() -> None:
    """What a queue of jobs or `timeout` sends before it kills is an interruption, too."""
    process = os.getpid()

    def interrupt(number: int, frame: Any) -> None:
        if os.getpid() == process:
            raise KeyboardInterrupt
        signal.signal(number, signal.SIG_DFL)  # a forked process that its parent ends
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, interrupt)


def _leave(status: int) -> None:
    """End this process and its workers at once, whatever threads still compute.

    Python would wait for them, and libraries in C++ abort where one of theirs is left.
    """
    import threading

    watch = threading.Timer(_PATIENCE_S, os._exit, (status,))
    watch.daemon = True
    watch.start()
    executors = sys.modules.get("joblib.externals.loky.reusable_executor")
    if executors is not None and (executor := getattr(executors, "_executor", None)) is not None:
        executor.shutdown(wait=False, kill_workers=True)
    atexit._run_exitfuncs()  # what is registered clears away files and semaphores
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def _print_error(text: str) -> int:
    print(f"error: {' '.join(text.split())}", file=sys.stderr)
    return 2


def _print_warning(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
    print(f"warning: {' '.join(str(message).split())}", file=sys.stderr)
