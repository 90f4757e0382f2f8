"""What breaks while files come in: how long until they are judged, what `odds health` says meanwhile.

Minutes a fault: `make cluster` runs it, `make test` does not. ``ODDS_SERVER_KILLS`` is how many times each
is made.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.demo.deliveries import write_deliveries
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.reception.receive import receive
from odds_pipeline.release.publish import publish
from odds_pipeline.storage.home import Home

from ... import services
from .cluster import Cluster, cluster
from .unaided import content_of

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        os.getuid() != 0 or shutil.which("iptables") is None or shutil.which("ss") is None,
        reason="to mount a share and to silence a machine takes root, iptables and iproute2",
    ),
]
TIMES = int(os.environ.get("ODDS_SERVER_KILLS", "1"))
FEED = "caf/allocataires"
AWAY = {"_postgresql": 30}
"""Seconds that a service is away; 10 for the others."""
Fault = Callable[[Cluster], AbstractContextManager[None]]


@contextlib.contextmanager
def _postgresql(running: Cluster) -> Iterator[None]:
    running.postgres.stop("immediate")
    yield
    running.postgres.start()


@contextlib.contextmanager
def _redis(running: Cluster) -> Iterator[None]:
    running.redis.kill()
    yield
    running.redis.start()


@contextlib.contextmanager
def _coordinator(running: Cluster) -> Iterator[None]:
    running.kill("coordinator")
    yield
    running.start("coordinator")


@contextlib.contextmanager
def _code_server(running: Cluster) -> Iterator[None]:
    running.kill("code-server")
    yield
    running.start("code-server")


@contextlib.contextmanager
def _restarted(running: Cluster) -> Iterator[None]:
    """A worker killed, and begun again by its unit before anybody asks for it."""
    running.until_started(1, running.total())
    running.kill("one")
    running.start("one")
    yield


@contextlib.contextmanager
def _vanished(running: Cluster) -> Iterator[None]:
    """A machine without power: its connections to PostgreSQL end without a word, no packet comes or goes."""
    pids = {str(pid) for pid in running.pids("one")}
    here = f"127.0.0.1:{running.postgres.port}"
    listed = subprocess.run(
        ["ss", "-Htnp", "dst", here], capture_output=True, text=True, check=True
    ).stdout
    ports = {
        line.split()[3].rpartition(":")[2]
        for line in listed.splitlines()
        if pids & set(re.findall(r"pid=(\d+)", line))
    }
    for port in ports:
        for end in ("--sport", "--dport"):
            subprocess.run(
                ["iptables", "-A", _chain(running), "-p", "tcp", end, port, "-j", "DROP"], check=True
            )
    running.kill("one")
    yield
    running.start("one")


def _chain(running: Cluster) -> str:
    return f"odds-{running.port}"


@contextlib.contextmanager
def _silence(running: Cluster) -> Iterator[None]:
    """Rules of the firewall for connections that are to fall silent; none stays."""
    chain = _chain(running)
    for rule in (["-N", chain], ["-I", "INPUT", "-j", chain]):
        subprocess.run(["iptables", *rule], check=True)
    try:
        yield
    finally:
        for rule in (["-D", "INPUT", "-j", chain], ["-F", chain], ["-X", chain]):
            subprocess.run(["iptables", *rule], check=False)


@contextlib.contextmanager
def _share(running: Cluster) -> Iterator[None]:
    subprocess.run(["umount", "--lazy", str(running.shared)], check=True)
    yield
    _mounted(running.shared)


@contextlib.contextmanager
def _disk(running: Cluster) -> Iterator[None]:
    filler = running.shared / ".filler"
    with filler.open("wb") as file:
        end = 0
        for size in (2**28, 2**20, 2**12):  # a file system needs some of its room for itself
            with contextlib.suppress(OSError):
                while True:
                    os.posix_fallocate(file.fileno(), end, size)
                    end += size
    yield
    filler.unlink()


def _mounted(folder: Path) -> None:
    """The share: a file system of its own, in a file, so that it can go, come back, and be full."""
    folder.mkdir(exist_ok=True)
    image = folder.with_suffix(".img")
    if not image.exists():
        with image.open("wb") as file:
            file.truncate(4 * 2**30)  # it takes what is written in it
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=True)


def _health(running: Cluster) -> str:
    """What is not in order, in the words of `odds health`; how long it took to say so."""
    begin = time.monotonic()
    said = json.loads(running.odds("two", "health", "--json").stdout)
    wrong = [f"{one['name']}: {one['detail']}" for one in said if not one["ok"]]
    return f"{time.monotonic() - begin:.0f} s, " + (" | ".join(wrong) or "all in order")


def _judged(running: Cluster) -> int:
    query = "SELECT count(*) FROM runs WHERE pipeline_name LIKE 'gate_%' AND status = 'SUCCESS'"
    return int(str(running.postgres.execute(query, running.state)[0][0]))


def _round(running: Cluster, path: Path, fault: Fault) -> float:
    """Deliver a file, break, mend; seconds from the break until the file is judged."""
    before = _judged(running)
    arriving = running.shared / "landing" / f".{path.name}"
    shutil.copy(path, arriving)
    arriving.rename(running.shared / "landing" / path.name)
    time.sleep(hash(path.name) % 16)  # anywhere in the ticks and runs that follow
    begin = time.monotonic()
    with fault(running):
        print(f"  health during it, {_health(running)}", flush=True)
        time.sleep(max(0.0, AWAY.get(fault.__name__, 10) - (time.monotonic() - begin)))

    def judged() -> bool:
        running.start_what_ended()
        return _judged(running) > before

    services.until(judged, 900, f"{path.name} judged ({running.statuses()})")
    return time.monotonic() - begin


@pytest.mark.parametrize(
    "fault",
    [_vanished, _restarted, _postgresql, _redis, _coordinator, _code_server, _share, _disk],
)
def test_what_came_is_judged_and_published_by_itself(
    project: Project,
    postgres: services.Postgres,
    tmp_path: Path,
    fault: Fault,
) -> None:
    last = f"{2015 + (TIMES - 1) // 12}-{(TIMES - 1) % 12 + 1:02d}"
    paths = write_deliveries(
        project, tmp_path / "in", "2015-01", last, faults=False, feeds=(FEED,)
    ).paths
    assert len(paths) >= TIMES
    alone = Home(tmp_path / "alone")
    list(receive(project, alone, paths))
    judge_pending(project, alone, FEED)
    content = publish(project, alone).content

    (tmp_path / "machines").mkdir()
    shared = tmp_path / "machines" / "shared"
    _mounted(shared)
    try:
        with cluster(tmp_path / "machines", postgres) as running, _silence(running):
            taken = [round(_round(running, path, fault)) for path in paths]
            services.until(
                lambda: content_of(running) == content,
                900, f"the release of one machine ({running.statuses()})",
            )  # fmt: skip
            print(
                f"{fault.__name__}: {taken} s from the break until judged, {dict(running.until_ended())}, {_health(running)}"
            )
    finally:
        subprocess.run(["umount", "--lazy", str(shared)], check=False)
