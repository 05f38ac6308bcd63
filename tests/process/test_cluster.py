"""Scans shared out to workers: the same results, bad ones listed, dead workers replaced."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import urlopen

import dask
import numpy as np
import pytest
import tifffile
from cluster_tasks import fails_here_once, in_reverse, kills_its_worker, refuses, square

from napari_unet_seg.cli import main
from napari_unet_seg.cli._workers import open_cluster
from napari_unet_seg.errors import ConfigError, DataError
from napari_unet_seg.process.cluster import Cluster, map_locally, worker_count
from napari_unet_seg.process.engine_process import engine_variables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Dask and Tornado leave sockets to the garbage collector as they shut down.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

QUICK = ("--set", "threads=1", "--set", "precision=float32", "--device", "cpu")


@pytest.fixture(scope="module")
def cluster():
    with Cluster(workers=2) as cluster:
        yield cluster


@pytest.fixture
def scans(tmp_path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(6):
        tifffile.imwrite(folder / f"scan{index}.tif", random.integers(0, 255, (64, 64), np.uint8))
    return folder


def address(cluster: Cluster) -> str:
    return str(cluster.client.scheduler.address)


@pytest.fixture
def invited(cluster) -> Iterator[None]:
    with certificates_of(cluster):
        yield


@contextmanager
def certificates_of(cluster: Cluster) -> Iterator[None]:
    """Give this process the certificates of a cluster by Dask's settings, as its users do."""
    own = cluster.client.security
    settings = {"ca-file": own.tls_ca_file}
    settings |= {"client.cert": own.tls_client_cert, "client.key": own.tls_client_key}
    with dask.config.set({f"distributed.comm.tls.{k}": v for k, v in settings.items()}):
        yield


@pytest.mark.parametrize("part", ["scheduler", "worker", "nanny"])
@pytest.mark.parametrize(
    ("who", "answered"),
    [("owner", True), ("without TLS", False), ("no certificate", False), ("another's", False)],
)
def test_each_process_of_a_cluster_answers_its_owner_alone(cluster, part, who, answered):
    workers = cluster.client.scheduler_info(n_workers=-1)["workers"]
    worker, nanny = next((name, entry["nanny"]) for name, entry in workers.items())
    there = {"scheduler": address(cluster), "worker": worker, "nanny": nanny}[part]
    assert _is_answered(int(there.rpartition(":")[2]), _caller(who, cluster)) is answered


def _caller(who: str, cluster: Cluster) -> ssl.SSLContext | None:
    """Return how someone connects, who does not mind whether the server is the right one."""
    from distributed import Security

    if who == "without TLS":
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if who != "no certificate":
        own = cluster.client.security if who == "owner" else Security.temporary()
        context = own.get_connection_args("client")["ssl_context"]
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _is_answered(port: int, context: ssl.SSLContext | None) -> bool:
    """Whether a process of Dask greets who connects; it closes the connection otherwise."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
        try:
            with context.wrap_socket(plain) if context else plain as connection:
                connection.sendall(bytes(64))
                return connection.recv(1) != b""
        except (ssl.SSLError, ConnectionError):
            return False


def test_the_web_servers_of_a_cluster_show_nothing(cluster):
    info = cluster.client.scheduler_info(n_workers=-1)
    ports = [info["services"]["dashboard"]]
    ports += [entry["services"]["dashboard"] for entry in info["workers"].values()]
    assert len(ports) == 3
    for port in ports:
        for page in ("info/main/workers.html", "json/counts.json", "metrics", "status", "health"):
            with pytest.raises(HTTPError, match="404"):
                urlopen(f"http://127.0.0.1:{port}/{page}")


def test_results_come_in_the_order_of_the_items(cluster, tmp_path):
    attempts = list(cluster.map(partial(in_reverse, tmp_path), range(20)))
    assert [(a.item, a.value, a.problem) for a in attempts] == [(i, i, "") for i in range(20)]


def test_workers_keep_memory_and_share_the_cores(cluster):
    variables = engine_variables(max(1, (os.cpu_count() or 1) // 2))
    for found in cluster.client.run(lambda: dict(os.environ)).values():
        assert variables.items() <= found.items()


def test_a_cluster_does_what_one_process_does(cluster):
    assert list(cluster.map(square, range(9))) == list(map_locally(square, range(9)))
    assert list(cluster.map(square, ())) == []


def test_what_fails_is_tried_at_another_worker(cluster, tmp_path):
    workers = set(cluster.client.run(os.getpid).values())
    for attempt in cluster.map(partial(fails_here_once, tmp_path), range(4)):
        assert not attempt.problem
        tried = {int(p.name.split("-")[1]) for p in tmp_path.glob(f"{attempt.item}-*")}
        assert tried == workers


def test_what_fails_everywhere_is_listed_and_the_rest_is_done(cluster):
    attempts = list(cluster.map(refuses, range(6)))
    assert [a.value for a in attempts] == [0, 1, 2, None, None, 5]
    assert attempts[3].problem == "scan 3 is torn; copy it again."
    assert attempts[4].problem.startswith("4 failed (ZeroDivisionError: nothing to divide by)")


@pytest.mark.parametrize(("deaths", "value"), [(1, 2), (9, None)])
def test_others_take_over_from_a_dead_worker(tmp_path, deaths, value):
    with Cluster(workers=2) as cluster:
        attempts = list(cluster.map(partial(kills_its_worker, tmp_path, deaths), range(12)))
    assert [a.value for a in attempts] == [0, 1, value, *range(3, 12)]
    assert bool(attempts[2].problem) is (value is None)
    assert len(list(tmp_path.glob("death*"))) == min(deaths, 2)


def test_predict_with_a_killed_worker_equals_predict_alone(scans, tmp_path, capsys):
    (scans / "torn.tif").write_bytes(b"no TIFF")
    assert main(["predict", str(scans), "--out", str(tmp_path / "alone"), *QUICK]) == 2
    alone = capsys.readouterr().err
    with Cluster(workers=2) as cluster, certificates_of(cluster):
        killed = next(iter(cluster.client.run(os.getpid).values()))
        watch = threading.Thread(target=_kill_after_first_mask, args=(tmp_path / "shared", killed))
        watch.start()
        code = main(
            [
                "predict",
                str(scans),
                "--out",
                str(tmp_path / "shared"),
                *QUICK,
                "--scheduler",
                address(cluster),
            ]
        )
        watch.join()
        assert killed not in cluster.client.run(os.getpid).values()
    assert code == 2
    assert capsys.readouterr().err == alone
    expected = {p.name: tifffile.imread(p) for p in (tmp_path / "alone").glob("*.tif")}
    found = {p.name: tifffile.imread(p) for p in (tmp_path / "shared").glob("scan?.tif")}
    assert found.keys() == expected.keys() == {f"scan{i}.tif" for i in range(6)}
    for name, mask in expected.items():
        np.testing.assert_array_equal(found[name], mask)


def _kill_after_first_mask(folder: Path, pid: int) -> None:
    while not any(folder.glob("scan*.tif")):
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)


def test_a_coco_file_is_that_of_one_process(cluster, invited, scans, tmp_path, capsys):
    for name, more in (("alone", []), ("shared", ["--scheduler", address(cluster)])):
        arguments = ["predict", str(scans), "--out", str(tmp_path / name), "--format", "coco"]
        arguments += ["--set", "threshold=0.0001"]
        assert main([*arguments, *QUICK, *more]) == 0
    alone, shared = (
        json.loads((tmp_path / n / "annotations.json").read_text()) for n in ("alone", "shared")
    )
    assert shared["images"] == alone["images"]
    assert shared["annotations"] == alone["annotations"] != []


def test_evaluate_shared_out_equals_evaluate_alone(cluster, invited, tmp_path, capsys):
    masks = tmp_path / "masks"
    masks.mkdir()
    for index in range(6):
        labels = np.zeros((64, 64), np.uint8)
        labels[: 8 + index, 20:40] = 1
        tifffile.imwrite(masks / f"scan{index}.tif", labels)
    figures = []
    for more in ([], ["--scheduler", address(cluster)]):
        arguments = ["evaluate", "--pred", str(masks), "--truth", str(masks), "--json", "-"]
        assert main([*arguments, "--foreground", *more]) == 0
        figures.append(capsys.readouterr().out)
    assert figures[0] == figures[1]
    assert '"samples": 6' in figures[0]


def test_relative_paths_mean_the_callers_folder(cluster, invited, scans, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["predict", "scans/scan1.tif", "--out", "masks", *QUICK]
    assert main([*arguments, "--scheduler", address(cluster)]) == 0
    assert (tmp_path / "masks" / "scan1.tif").is_file()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--scheduler", "tcp://127.0.0.1:9"], "No Dask scheduler answers at tcp://127.0.0.1:9"),
        (["--scheduler", "nonsense://x"], "No Dask scheduler answers at nonsense://x"),
        (["--scheduler", "tcp://127.0.0.1:9", "--workers", "2"], "give only one"),
    ],
)
def test_a_wrong_scheduler_is_told_in_a_line(scans, tmp_path, capsys, more, said, monkeypatch):
    monkeypatch.setattr("napari_unet_seg.process.cluster.CONNECT_TIMEOUT", "1s")
    assert main(["predict", str(scans), "--out", str(tmp_path / "out"), *more]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not (tmp_path / "out").exists()


def test_a_scheduler_without_workers_is_told(capsys):
    from distributed import LocalCluster

    with (
        LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0") as empty,
        pytest.raises(ConfigError, match=r"has no workers; start some with `dask worker"),
    ):
        Cluster(empty.scheduler_address)


@pytest.mark.parametrize("package", ["distributed", "cryptography"])
def test_without_a_package_a_command_uses_this_process_alone(monkeypatch, package):
    monkeypatch.setattr("napari_unet_seg.cli._workers.worker_count", lambda _: 2)
    monkeypatch.setattr("napari_unet_seg.cli._workers.find_spec", lambda name: name != package)
    with open_cluster("", None, 1000) as cluster:
        assert cluster is None


@pytest.mark.parametrize(
    ("scans", "cores", "workers"),
    [(1, 64, 1), (1000, 2, 1), (1000, 4, 1), (1000, 16, 4), (40, 16, 2), (31, 16, 1)],
)
def test_workers_follow_cores_and_scans(scans, cores, workers):
    assert worker_count(scans, cores) == workers


@pytest.mark.parametrize("package", ["distributed", "cryptography"])
def test_without_the_package_one_is_told_what_to_install(monkeypatch, package):
    import sys

    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DataError, match=r'pip install "napari-unet-seg\[distributed\]"'):
        Cluster(workers=2)
