"""Four observatories on one PostgreSQL and one redis, a worker each: on one machine, then on four.

``python -m benchmarks.side_by_side``, as root, some twenty minutes. A machine is a control group of the
kernel (cgroup v1) that may use a part of a processor: on a host of two, four whole ones cannot be shown.
PostgreSQL, redis, coordinators and code servers are outside, the same in both. Each observatory receives
a month of everything, another one than the others', and must publish what one machine publishes of it.
"""

import argparse
import contextlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from odds_pipeline.declarations.project import Project
from odds_pipeline.demo.deliveries import write_deliveries
from odds_pipeline.storage.home import Home
from tests import services
from tests.pipeline.server.cluster import Cluster, observatory, started
from tests.pipeline.server.unaided import Embedded, content_of, embedded

GROUPS = Path("/sys/fs/cgroup/cpu")
PERIOD = 100_000
MONTHS = {"odds93": "2024-12", "odds94": "2023-12", "odds95": "2022-12", "odds92": "2021-12"}


@contextlib.contextmanager
def _machine(name: str, share: float) -> Iterator[Path]:
    """A control group with that part of a processor."""
    group = GROUPS / f"odds-{name}"
    group.mkdir()
    (group / "cpu.cfs_period_us").write_text(str(PERIOD))
    (group / "cpu.cfs_quota_us").write_text(str(int(PERIOD * share)))
    try:
        yield group
    finally:
        services.until(lambda: not (group / "cgroup.procs").read_text(), 60, f"{group} to be empty")
        group.rmdir()


class _Placed(Cluster):
    """A server whose worker runs on a machine, the rest outside."""

    machine: Path

    def on(self, name: str) -> list[str]:
        if name in ("coordinator", "code-server"):
            return []
        return ["sh", "-c", f'echo $$ > {self.machine}/cgroup.procs; exec "$@"', "sh"]


def _is_ready(running: Cluster) -> bool:
    return " ready." in (running.folder / "worker.log").read_text(encoding="utf-8")


def _measured(
    folder: Path, files: dict[str, Path], expected: dict[str, Embedded], machines: int, share: float
) -> dict[str, float]:
    """Seconds from the files to the last release, all worker machines taken; what the workers spent."""
    with ExitStack() as stack:
        postgres = stack.enter_context(services.postgres())
        redis = stack.enter_context(services.redis(folder))
        groups = [stack.enter_context(_machine(str(n), share)) for n in range(machines)]
        servers: dict[str, _Placed] = {}
        for number, name in enumerate(files):
            declared = observatory(folder / name / "declared", name)
            server = _Placed(folder / name, postgres, redis, declared)
            server.machine = groups[number % machines]
            stack.enter_context(started(server, ("worker",)))
            servers[name] = server
        for name, server in servers.items():
            services.until(lambda server=server: _is_ready(server), 300, f"the worker of {name}")
        before = sum(server.cpu_seconds("worker") for server in servers.values())
        begin = time.monotonic()
        for name, server in servers.items():
            for path in files[name].iterdir():
                shutil.copy(path, server.shared / "landing" / path.name)
        ends: dict[str, float] = {}

        def all_published() -> bool:
            for name, server in servers.items():
                if name not in ends and content_of(server) == expected[name].content:
                    ends[name] = time.monotonic() - begin
            return len(ends) == len(servers)

        services.until(all_published, 3600, "the releases of one machine")
        spent = sum(server.cpu_seconds("worker") for server in servers.values()) - before
        outside = sum(server.cpu_seconds("coordinator", "code-server") for server in servers.values())
        return {"machines": machines, "workers_cpu": spent, "outside_cpu": outside, **ends}


def main() -> None:
    """Print both cases, a JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=0.35, help="of a processor that a machine has")
    share = parser.parse_args().share
    if not GROUPS.is_dir():
        sys.exit(f"{GROUPS} is not there: this host does not give parts of processors by cgroup v1")
    project = Project.load()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files, expected = {}, {}
        for observed, month in MONTHS.items():
            files[observed] = folder / "months" / observed
            write_deliveries(project, files[observed], month, month, faults=False)
            expected[observed] = embedded(Home(folder / "embedded" / observed), files[observed])
            print(json.dumps({"embedded": observed, **vars(expected[observed])}), flush=True)
        for machines in (1, len(MONTHS)):
            own = folder / f"on-{machines}"
            own.mkdir()
            print(json.dumps(_measured(own, files, expected, machines, share)), flush=True)


if __name__ == "__main__":
    main()
