"""Four observatories in one PostgreSQL, a writer each: all on one machine, then each on its own.

``python -m benchmarks.side_by_side``, as root, some fifteen minutes. A machine is a control group of the
kernel (cgroup v1) that may use a part of a processor: on a host of two, four whole ones cannot be shown.
PostgreSQL is outside, the same in both. Each observatory receives a month of its own of twelve sources,
and must publish what one machine without services publishes of it.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from odds_pipeline.declarations.project import Project
from odds_pipeline.storage.home import Home
from tests import services
from tests.pipeline.server.cluster import Cluster, deliveries, observatory
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
    (group / "cpu.shares").write_text("262144")  # it has its part, whatever else the host does
    try:
        yield group
    finally:
        services.until(lambda: not (group / "cgroup.procs").read_text(), 60, f"{group} to be empty")
        group.rmdir()


def _started(server: Cluster, files: Path, machine: Path) -> subprocess.Popen[bytes]:
    """`odds run` of the files, on a machine."""
    command = [sys.executable, "-m", "odds_pipeline.cli", "run", "--from", str(files)]
    placed = ["sh", "-c", f'echo $$ > {machine}/cgroup.procs; exec "$@"', "sh", *command]
    with (server.folder / "run.log").open("ab") as log:
        return subprocess.Popen(placed, env=server.environment("one"), stdout=log, stderr=log)


def _measured(
    folder: Path, files: dict[str, Path], expected: dict[str, Embedded], machines: int, share: float
) -> dict[str, float]:
    """Seconds from the start of all to the end of each."""
    with ExitStack() as stack:
        postgres = stack.enter_context(services.postgres())
        groups = [stack.enter_context(_machine(str(n), share)) for n in range(machines)]
        servers: dict[str, Cluster] = {}
        for name in files:
            declared = observatory(folder / name / "declared", name)
            nobody = services.Server([], services.free_port())  # a command asks no broker
            servers[name] = Cluster(folder / name, postgres, nobody, declared)
            done = servers[name].odds("one", "prepare")
            assert done.returncode == 0, done.stderr
        begin = time.monotonic()
        running = {
            name: _started(server, files[name], groups[number % machines])
            for number, (name, server) in enumerate(servers.items())
        }
        ends: dict[str, float] = {}

        def all_ended() -> bool:
            for name, process in running.items():
                if name not in ends and process.poll() is not None:
                    ends[name] = time.monotonic() - begin
            return len(ends) == len(running)

        services.until(all_ended, 3600, "the releases of one machine")
        for name, server in servers.items():
            assert content_of(server) == expected[name].content, name
        return {"machines": machines, "share": share, **ends}


def main() -> None:
    """Print the embedded runs, then both cases, a JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=0.3, help="of a processor that a machine has")
    share = parser.parse_args().share
    if not GROUPS.is_dir():
        sys.exit(f"{GROUPS} is not there: this host does not give parts of processors by cgroup v1")
    project = Project.load()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files, expected = {}, {}
        for observed, month in MONTHS.items():
            files[observed] = folder / "months" / observed
            deliveries(project, files[observed], month)
            expected[observed] = embedded(Home(folder / "embedded" / observed), files[observed])
            print(json.dumps({"embedded": observed, **vars(expected[observed])}), flush=True)
        for machines in (len(MONTHS), 1):
            own = folder / f"on-{machines}"
            own.mkdir()
            print(json.dumps(_measured(own, files, expected, machines, share)), flush=True)


if __name__ == "__main__":
    main()
