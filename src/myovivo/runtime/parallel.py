"""Many calls of one function: on the cores of this machine by joblib, or on those of many by dask.

Whoever has several files to make or to read hands them to `in_parallel`, and is not told where they went.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import platform
import signal
import socket
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Sequence as Series
from contextvars import ContextVar
from typing import Any, TypeVar

from ..errors import ClusterError, InputError, MissingExtraError, MyovivoError

T = TypeVar("T")

_CONNECT_S = 5.0

_client: ContextVar[Any] = ContextVar("client", default=None)


@contextlib.contextmanager
def on_cluster(scheduler: str | None, wait: float = 10.0) -> Iterator[None]:
    """Within the block, domains are made and evaluated by the workers of a dask cluster.

    That is `simulate_domain`, `phantom_domain`, `acquire_domain`, `translate_domain`, `identify_domain` and
    `evaluate`; their `workers` then means nothing. The bytes are those made without a cluster.

    Workers must have the same version of this package and share the file system, the current folder included, since
    relative paths mean there what they mean here. A worker that dies costs the file it was at, which another makes
    again; workers that come later join in.

    Parameters
    ----------
    scheduler : its address, such as "tcp://10.0.0.1:8786"; None for no cluster
    wait : s, how long to wait for the first worker

    Raises
    ------
    ClusterError : nobody answers at the address, no worker comes, or it has another version of this package.
    MissingExtraError : dask is not installed.
    """
    if scheduler is None:
        yield
        return
    with _connected(scheduler, wait) as client:
        token = _client.set(client)
        try:
            yield
        finally:
            _client.reset(token)


def in_parallel(
    function: Callable[..., T], calls: Series[tuple[Any, ...]], workers: int = -1, threads: bool = False
) -> Iterator[tuple[int, T | MyovivoError]]:
    """Call `function` with the arguments of each call, and yield what came of it as it comes.

    Parameters
    ----------
    function, calls : the function, and the arguments of each call
    workers : processes here, -1 for one per core; on a cluster all its workers are used
    threads : whether threads will do here, in place of processes

    Yields
    ------
    (int, result) : the number of a call, and what it returned. What a user can mend is yielded, not raised, so
        that it does not stop the others; so is a ClusterError for a call at which several workers died.

    Raises
    ------
    InputError : 0 workers.
    ClusterError : the scheduler was lost, or a process here was killed.
    """
    if (client := _client.get()) is not None:
        yield from _on_workers(client, function, calls)
        return
    if workers == 0:
        raise InputError("workers must be a number of processes, or -1 for one per core, got 0")
    if workers == 1 or len(calls) <= 1:  # no pool, whose library alone takes a tenth of a second to load
        for number, call in enumerate(calls):
            yield _here(number, function, call)
        return
    yield from _on_processes(function, calls, workers, threads)


def _on_processes(
    function: Callable[..., T], calls: Series[tuple[Any, ...]], workers: int, threads: bool
) -> Iterator[tuple[int, T | MyovivoError]]:
    from multiprocessing import resource_tracker

    import joblib
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    # Said of workers that had grown and were replaced, and of those ended by an interruption: nothing is wrong or lost.
    for message in ("A worker stopped while some jobs were given to the executor", r"\d+ tasks which were still being"):
        warnings.filterwarnings("ignore", message=message)
    count = min(joblib.effective_n_jobs(workers), len(calls))
    jobs = (joblib.delayed(_here)(number, function, call) for number, call in enumerate(calls))
    pool = joblib.Parallel(count, prefer="threads" if threads else None, return_as="generator_unordered")
    try:
        resource_tracker.ensure_running()  # which would let interruptions through again if it were started below
        with _uninterrupted():
            results = pool(jobs)
        yield from results  # type: ignore[misc]
    except TerminatedWorkerError as error:
        rule = "a worker process was killed, most often for want of memory"
        raise ClusterError(f"{rule}; what is done is kept: run the same command again with fewer --workers") from error


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Processes and threads started in the block see no interruption from the keyboard: this one has it, and ends them.

    Without it, a process that is just starting answers with a traceback of Python's own.
    """
    mask = getattr(signal, "pthread_sigmask", None)  # not under Windows
    if mask is None:
        yield
        return
    before = mask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        mask(signal.SIG_SETMASK, before)


def _here(number: int, function: Callable[..., T], call: tuple[Any, ...]) -> tuple[int, T | MyovivoError]:
    return number, _result(function, call)


def _result(function: Callable[..., T], call: tuple[Any, ...]) -> T | MyovivoError:
    try:
        return function(*call)
    except MyovivoError as error:
        return error
    except MemoryError:
        return ClusterError("there is not enough memory for it; take fewer workers, or smaller sequences")


# ------------------------------------------------------------------------------------------ dask


@contextlib.contextmanager
def _connected(scheduler: str, wait: float) -> Iterator[Any]:
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtraError("dask", "cluster") from error
    try:
        _await_answer(scheduler)
        client = Client(scheduler, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:  # a time-out is an OSError, an address that is none a ValueError
        problem = f"no scheduler answers at {scheduler}; start one with `dask scheduler`, or correct the address"
        raise ClusterError(problem) from error
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # a traceback for what one line says below
    with client:
        try:  # with a call, since a cluster that adapts starts no workers before it has one
            version = client.submit(_version, pure=False).result(timeout=wait)
        except TimeoutError as error:
            problem = f"the scheduler at {scheduler} has no workers after {wait:g} s; start some with `dask worker`"
            raise ClusterError(problem) from error
        except ImportError as error:
            raise ClusterError(f"the workers of {scheduler} have no myovivo ({error}); install it there") from error
        if version != _version():
            rule = f"the workers of {scheduler} have myovivo {version}, here it is {_version()}"
            raise ClusterError(f"{rule}; install one version everywhere")
        yield client


def _version() -> str:
    from ..version import __version__

    return __version__


def _await_answer(scheduler: str) -> None:
    """Return if something answers as a scheduler does; dask's client waits for ever on a server of another kind."""
    from distributed.comm.addressing import get_address_host_port, parse_address

    with socket.create_connection(get_address_host_port(scheduler), _CONNECT_S) as connection:
        if parse_address(scheduler)[0] == "tcp" and not connection.recv(1):  # with TLS it does not speak first
            raise ConnectionError("closed at once")


def _on_workers(client: Any, function: Callable[..., T], calls: Series[tuple[Any, ...]]) -> Iterator[tuple[int, Any]]:
    from distributed import KilledWorker

    killed: list[int] = []
    for number, result in _dask_map(client, function, dict(enumerate(calls))):
        if isinstance(result, KilledWorker):
            killed.append(number)
        else:
            yield number, result
    # A dying worker may have had a second call waiting, which is blamed as well: alone, the innocent succeed.
    for number in killed:
        for _, result in _dask_map(client, function, {number: calls[number]}):
            if isinstance(result, KilledWorker):
                problem = f"{result.allowed_failures + 1} workers died at it; see their logs, and give them more memory"
                result = ClusterError(problem)
            yield number, result


def _dask_map(
    client: Any, function: Callable[..., T], calls: Mapping[int, tuple[Any, ...]]
) -> Iterator[tuple[int, Any]]:
    """Number and result of each call, as they come; the KilledWorker where as many workers died as may."""
    from distributed import CancelledError, KilledWorker, as_completed

    # Keys of one group make the scheduler keep the calls until a worker is free. Else it would share all out at once,
    # and a dying worker's whole share be blamed.
    group = f"myovivo-{uuid.uuid4().hex}"
    call = functools.partial(_there, os.getcwd(), function)
    futures = client.map(call, list(calls.values()), key=[(group, number) for number in calls], pure=False)
    try:
        for future in as_completed(futures, loop=client.loop):
            try:
                yield future.key[1], future.result()
            except KilledWorker as error:
                yield future.key[1], error
            future.release()
    except CancelledError as error:
        problem = f"the scheduler at {client.scheduler.address} was lost; start it again and repeat the call"
        raise ClusterError(problem) from error
    finally:
        if client.status == "running":  # not where a caller that gave up is cleared away later
            client.cancel(futures)


def _there(folder: str, function: Callable[..., T], call: tuple[Any, ...]) -> T | MyovivoError:
    """`_result` on a worker, in the folder of the caller."""
    try:
        os.chdir(folder)
    except OSError:
        return ClusterError(f"{folder}: not to be seen on {platform.node()}; workers must share the file system")
    return _result(function, call)
