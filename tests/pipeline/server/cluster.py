"""A server deployment in miniature: PostgreSQL, redis, a coordinator and two workers with homes of their own."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from odds_pipeline.declarations.project import Project, project_root

from ... import services

TWELVE = (
    "caf/allocataires", "caf/logement", "caf/rsa", "centres_sociaux/senacs", "conseil_general/insertion",
    "cpam/c2s", "drihl/demande_logement", "insee/populations_legales", "inspection_academique/scolarite",
    "pole_emploi/defm_mensuel", "prefecture/expulsions", "udccas/aides",
)  # fmt: skip
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
# The real settings, in seconds that suit a test.
QUICK = {
    "poll_interval_seconds: 30": "poll_interval_seconds: 4",
    "start_timeout_seconds: 180": "start_timeout_seconds: 90",
    "max_runtime_seconds: 21600": "max_runtime_seconds: 300",
}


def deliveries(project: Project, folder: Path, month: str) -> list[Path]:
    """One month of the twelve sources, simulated in their own formats; annual ones come in December."""
    from odds_pipeline.demo.deliveries import write_deliveries

    return write_deliveries(project, folder, month, month, faults=False, feeds=TWELVE).paths


class Cluster:
    """The processes and how to kill them; ``shared`` is what the machines mount, ``project`` what is declared."""

    def __init__(
        self,
        folder: Path,
        postgres: services.Postgres,
        redis: services.Server,
        project: Path | None = None,
    ) -> None:
        self.folder, self.postgres, self.redis = folder, postgres, redis
        self.project = project or project_root()
        self.catalogue, self.state = postgres.new_database(), postgres.new_database()
        self.shared = folder / "shared"
        self.port = services.free_port()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        root = project_root() / "resources" / "deployments"
        dagster = (root / "dagster-server.yaml").read_text()
        for usual, quick in QUICK.items():
            assert usual in dagster
            dagster = dagster.replace(usual, quick)
        (folder / "dagster.yaml").write_text(dagster)
        site = (root / "server.yaml").read_text()
        site = site.replace("resources/deployments/dagster-server.yaml", str(folder / "dagster.yaml"))
        (folder / "site.yaml").write_text(site)

    def environment(self, home: str) -> dict[str, str]:
        return {
            **os.environ,
            "ODDS_DEPLOYMENT": str(self.folder / "site.yaml"),
            "ODDS_PROJECT": str(self.project),
            "ODDS_HOME": str(self.folder / home),
            "ODDS_SHARED": str(self.shared),
            "ODDS_LAKE": str(self.folder / "lake"),
            "ODDS_CATALOGUE": self.postgres.dsn(self.catalogue),
            "ODDS_DAGSTER_DATABASE": self.postgres.url(self.state),
            "ODDS_CODE_SERVER": str(self.port),
            "ODDS_REDIS": f"redis://127.0.0.1:{self.redis.port}/0",
        }

    def odds(self, home: str, *command: str, **others: str) -> "subprocess.CompletedProcess[str]":
        """A command on a machine, some lines of whose environment may be others."""
        return subprocess.run(
            [sys.executable, "-m", "odds_pipeline.cli", *command],
            env={**self.environment(home), **others}, capture_output=True, text=True, check=False, timeout=540,
        )  # fmt: skip

    def start(self, name: str) -> None:
        worker = ["worker", "--name", name, "--processes", "1"]
        command = [name] if name in ("coordinator", "code-server") else worker
        log = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            [*self.on(name), sys.executable, "-m", "odds_pipeline.cli", *command],
            env=self.environment("coordinator" if name == "code-server" else name), stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip

    def on(self, name: str) -> list[str]:
        """What the command of a machine is started by."""
        return []

    def kill(self, name: str) -> None:
        """End a process and all that it started, at once, as a machine that loses its power."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.processes[name].pid, signal.SIGKILL)
        self.processes.pop(name).wait()

    def start_what_ended(self) -> None:
        """As the units' ``Restart=always`` does."""
        for name, process in list(self.processes.items()):
            if process.poll() is not None:
                self.start(name)

    def cut_connections(self) -> None:
        """End every connection to PostgreSQL, of the lake and of Dagster."""
        self.postgres.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname IN ('{self.catalogue}', '{self.state}')"
        )

    def statuses(self) -> Counter[str]:
        rows = self.postgres.execute("SELECT status, count(*) FROM runs GROUP BY status", self.state)
        return Counter({str(status): int(str(count)) for status, count in rows})

    def total(self) -> int:
        """Runs that were ever asked for."""
        return sum(self.statuses().values())

    def pids(self, *names: str) -> dict[int, list[str]]:
        """The processes of machines, with what ``/proc`` says of each from its state on."""
        sessions, found = {self.processes[name].pid for name in names}, {}
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) in sessions:
                    found[int(folder.name)] = fields
        return found

    def cpu_seconds(self, *names: str) -> float:
        """What the processes of machines, of all by default, and the children they waited for have taken."""
        spent = [fields[11:15] for fields in self.pids(*(names or self.processes)).values()]
        return sum(int(ticks) for own in spent for ticks in own) / os.sysconf("SC_CLK_TCK")

    def until_started(self, more: int, than: int, seconds: float = 400) -> None:
        """Wait until ``more`` runs than so many have started, one of them still running."""

        def started() -> bool:
            found = self.statuses()
            begun = sum(n for status, n in found.items() if status in ENDED | {"STARTED"})
            return begun >= than + more and found["STARTED"] > 0

        services.until(started, seconds, f"{more} runs more than {than} started")

    def until_ended(self, seconds: float = 400, quiet: float = 12) -> Counter[str]:
        """Wait until every run has ended, and none was launched again for a while."""
        end, calm_since = time.monotonic() + seconds, None
        while time.monotonic() < end:
            found = self.statuses()
            calm = bool(found) and set(found) <= ENDED
            calm_since = (calm_since or time.monotonic()) if calm else None
            if calm_since is not None and time.monotonic() - calm_since > quiet:
                return found
            time.sleep(0.5)
        raise TimeoutError(f"runs hang: {dict(self.statuses())}")


@contextlib.contextmanager
def started(machines: Cluster, workers: tuple[str, ...]) -> Iterator[Cluster]:
    """Everything of a server running, its landing folder empty."""
    (machines.shared / "landing").mkdir(parents=True)
    done = machines.odds("coordinator", "prepare")
    assert done.returncode == 0, done.stderr
    machines.start("code-server")
    services.until(lambda: services.answers(machines.port), 120, "the code server")
    for name in (*workers, "coordinator"):
        machines.start(name)
    try:
        yield machines
    finally:
        for name in list(machines.processes):
            machines.kill(name)


@contextlib.contextmanager
def cluster(folder: Path, postgres: services.Postgres) -> Iterator[Cluster]:
    """Two workers, a broker of their own."""
    with (
        services.redis(folder) as redis,
        started(Cluster(folder, postgres, redis), ("one", "two")) as running,
    ):
        yield running


def observatory(folder: Path, name: str) -> Path:
    """The declarations of another observatory, which differ from ours in their ``id`` alone."""
    for part in ("assets", "expectations", "resources"):
        shutil.copytree(project_root() / part, folder / part)
    about = folder / "assets" / "observatory.yaml"
    text = about.read_text(encoding="utf-8")
    assert text.count("id: odds93") == 1
    about.write_text(text.replace("id: odds93", f"id: {name}"), encoding="utf-8")
    return folder
