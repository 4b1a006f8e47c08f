"""Many machines: the same files as on one, whatever dies on the way."""

import functools
import os
import signal
import socket
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
from distributed import LocalCluster
from lightning_fabric.plugins.environments import LightningEnvironment, SLURMEnvironment

import myovivo as mv
from myovivo.cli import main
from myovivo.errors import ClusterError, FileError, MissingExtraError
from myovivo.runtime import parallel as module
from myovivo.runtime.parallel import in_parallel
from myovivo.sequences.domain import _make, good_sequence, make_domain
from myovivo.training.processes import started_by

SMALL = {"grid.rows": 12, "grid.columns": 10, "grid.frames": 24}


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50
    ) as made:
        yield made


@pytest.fixture
def scheduler(cluster):
    cluster.wait_for_workers(2, timeout=60)  # those killed by a test before come again
    return cluster.scheduler_address


def save_one(seed, path):
    mv.simulate(seed=seed, **SMALL).save(path)


def die_once(marker, seed, path):
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    save_one(seed, path)


def die(path):
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(path):
    raise FileError("scan.mat", "is no recording")


def made(out, **special):
    """A folder of six files, of which some are made in a special way."""
    makers = {f"{name}.h5": functools.partial(save_one, seed) for seed, name in enumerate("abcdef")}
    makers |= {f"{name}.h5": maker for name, maker in special.items()}
    return make_domain(out, makers, {"stage": "test"}, good_sequence, "test", workers=1, quiet=True)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_bytes_are_those_made_without_a_cluster_also_under_a_relative_path(scheduler, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mv.simulate_domain("here", 4, seed=3, workers=1, quiet=True, **SMALL)
    with mv.on_cluster(scheduler):
        mv.simulate_domain("there", 4, seed=3, quiet=True, **SMALL)
    assert len(list((tmp_path / "there").glob("*.h5"))) == 4
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


def test_the_calls_leave_this_process_only_within_the_block(scheduler):
    with mv.on_cluster(scheduler):
        there = {process for _, process in in_parallel(os.getpid, [()] * 8)}
    here = {process for _, process in in_parallel(os.getpid, [()] * 8, workers=1)}
    assert here == {os.getpid()}
    assert not there & here


def test_the_command_line_uses_the_cluster(scheduler, tmp_path, monkeypatch, capsys):
    used = []
    monkeypatch.setattr(module, "_on_workers", lambda client, *rest: used.append(client.scheduler.address) or iter(()))
    options = [f"--{name}={value}" for name, value in SMALL.items()]
    assert main(["simulate", str(tmp_path / "out"), "--quiet", "--scheduler", scheduler, *options]) == 0
    assert used == [scheduler]


def test_a_killed_worker_loses_nothing(scheduler, tmp_path):
    made(tmp_path / "here")
    with mv.on_cluster(scheduler):
        made(tmp_path / "there", c=functools.partial(die_once, tmp_path / "marker", 2))
    assert (tmp_path / "marker").exists()  # one was killed
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


def test_a_file_that_kills_every_worker_costs_only_itself(cluster, scheduler, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster.scheduler, "allowed_failures", 1)
    with pytest.raises(FileError, match=r"b\.h5: 2 workers died at it"), mv.on_cluster(scheduler):
        made(tmp_path, b=die)
    assert sorted(path.name for path in tmp_path.glob("*.h5")) == [f"{name}.h5" for name in "acdef"]


def test_a_file_that_cannot_be_made_is_reported_and_the_others_are_made(scheduler, tmp_path):
    with pytest.raises(FileError, match=r"scan\.mat: is no recording"), mv.on_cluster(scheduler):
        made(tmp_path, b=refuse)
    assert sorted(path.name for path in tmp_path.glob("*.h5")) == [f"{name}.h5" for name in "acdef"]


def test_evaluation_gives_the_same_table_from_files_and_from_memory(scheduler, tmp_path):
    files = made(tmp_path)
    silico, vivo = files[:3], files[3:]
    translated = [mv.Sequence.load(file) for file in silico]
    here = mv.evaluate(translated, vivo, translated, workers=1, quiet=True).to_dict()
    with mv.on_cluster(scheduler):
        there = mv.evaluate(translated, vivo, translated, quiet=True).to_dict()
    assert here == there
    with h5py.File(files[0], "r+") as file:
        file["data/velocity"][0, 0, 0] = np.nan
    with mv.on_cluster(scheduler), pytest.raises(FileError, match=r"a\.h5"):
        mv.evaluate(None, files, quiet=True)


def test_a_dead_scheduler_is_one_quick_line(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert main(["simulate", str(tmp_path / "out"), "--scheduler", f"tcp://127.0.0.1:{port}"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: no scheduler answers at tcp://127.0.0.1:{port}; start one")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("address", ["nonsense", "gopher://127.0.0.1:1", "127.0.0.1"])
def test_an_address_that_is_none(address):
    with pytest.raises(ClusterError, match=f"no scheduler answers at {address}"), mv.on_cluster(address):
        pass


def test_a_server_that_is_no_scheduler(monkeypatch):
    monkeypatch.setattr(module, "_CONNECT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(ClusterError, match=f"no scheduler answers at {address}"), mv.on_cluster(address):
            pass


def test_a_scheduler_without_workers():
    with LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50) as empty:
        address = empty.scheduler_address
        with pytest.raises(ClusterError, match=r"has no workers after 0\.1 s"), mv.on_cluster(address, wait=0.1):
            pass


def test_workers_of_another_version(scheduler, monkeypatch):
    monkeypatch.setattr("myovivo.version.__version__", "0.0.9")
    with pytest.raises(ClusterError, match=r"have myovivo \d.*, here it is 0\.0\.9"), mv.on_cluster(scheduler):
        pass


def test_a_scheduler_lost_on_the_way(tmp_path):
    code = """
import sys
from distributed import LocalCluster
from lightning_fabric.plugins.environments import LightningEnvironment, SLURMEnvironment
if __name__ == "__main__":
    print(LocalCluster(n_workers=1, host="127.0.0.1", dashboard_address="127.0.0.1:0").scheduler_address, flush=True)
    sys.stdin.read()
"""
    script = tmp_path / "scheduler.py"
    script.write_text(code)
    process = subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        address = process.stdout.readline().strip()
        with mv.on_cluster(address):
            results = in_parallel(time.sleep, [(0,), (3600,)])
            next(results)
            process.kill()
            with pytest.raises(ClusterError, match="was lost"):
                next(results)
    finally:
        process.kill()
        process.wait()


def test_workers_that_do_not_share_the_file_system(tmp_path):
    error = module._there(str(tmp_path / "missing"), os.getpid, ())
    assert isinstance(error, ClusterError)
    assert "workers must share the file system" in str(error)
    with pytest.raises(FileError, match="workers must share the file system"):
        _make(functools.partial(save_one, 0), tmp_path / "a.h5")


def test_without_dask(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"myovivo\[cluster\]"), mv.on_cluster("127.0.0.1:8786"):
        pass


# ------------------------------------------------------------------------------- training under SLURM


def test_srun_and_the_devices_must_agree(monkeypatch):
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "4")
    with pytest.raises(mv.MyovivoError, match=r"srun started 4 processes, but devices x nodes is 2; give --devices"):
        started_by(2, 1)
    for name, value in {"SLURM_NTASKS": "4", "SLURM_PROCID": "3", "SLURM_JOB_NAME": "bash"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SLURM_NTASKS_PER_NODE", "2")
    environment = started_by(2, 2)
    assert isinstance(environment, SLURMEnvironment)
    assert (environment.world_size(), environment.global_rank()) == (4, 3)


def test_a_batch_script_without_srun_starts_its_processes_itself(monkeypatch):
    monkeypatch.delenv("SLURM_STEP_NUM_TASKS", raising=False)
    for name, value in {"SLURM_NTASKS": "2", "SLURM_PROCID": "0", "SLURM_JOB_NAME": "train"}.items():
        monkeypatch.setenv(name, value)
    assert isinstance(started_by(2, 1), LightningEnvironment)


def die_second(number):
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_a_worker_that_is_killed_here_is_one_line_with_a_remedy():
    with pytest.raises(ClusterError, match=r"a worker process was killed, .* fewer --workers"):
        list(in_parallel(die_second, [(number,) for number in range(4)], workers=2))


def blocked(number):
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_workers_leave_interruptions_to_the_process_that_started_them():
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(kill_workers=True)
    assert all(result for _, result in in_parallel(blocked, [(number,) for number in range(4)], workers=2))
    assert not blocked(0)


def greedy(number):
    raise MemoryError


def test_too_little_memory_for_one_call_stops_no_other():
    (_, first), (_, second) = in_parallel(greedy, [(0,), (1,)], workers=1)
    assert isinstance(first, ClusterError)
    assert isinstance(second, ClusterError)
