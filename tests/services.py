"""Starts the services of a server deployment for tests: on loopback, on free ports, data in /tmp."""

import contextlib
import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("psycopg2", "dagster_postgres", "dagster_celery", "duckdb_extension_ducklake", "redis")


def missing() -> list[str]:
    """What this machine lacks to run the tests of a server deployment."""
    import importlib.util

    absent = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if _postgres_bin() is None:
        absent.append("postgresql (apt-get install postgresql)")
    if shutil.which("redis-server") is None:
        absent.append("redis-server (apt-get install redis-server)")
    return absent


def _postgres_bin() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def until(condition: object, seconds: float, what: str) -> None:
    """Wait for ``condition()``; fail with ``what`` after ``seconds``."""
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.1)


@dataclass
class Postgres:
    """A PostgreSQL cluster of its own; ``dsn`` and ``url`` name one of its databases."""

    folder: Path
    port: int
    databases: int = 0

    def run(self, *command: str) -> None:
        # PostgreSQL refuses to run as root.
        as_other = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        path = str(_postgres_bin() / command[0])  # type: ignore[operator]
        subprocess.run(
            [*as_other, path, *command[1:]], check=True, stdout=subprocess.DEVNULL, cwd="/tmp"
        )

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        log = str(self.folder / "log")
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-o", options, "-w", "-l", log, "start")

    def stop(self, mode: str = "fast") -> None:
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", mode, "-w", "stop")

    @property
    def here(self) -> list[str]:
        return ["-h", "127.0.0.1", "-p", str(self.port), "-U", "odds"]

    def dump(self, database: str, path: Path) -> None:
        self.run("pg_dump", *self.here, "-Fc", "-f", str(path), database)

    def restore(self, database: str, path: Path) -> None:
        self.run("pg_restore", *self.here, "-d", database, str(path))

    def dsn(self, database: str) -> str:
        return f"host=127.0.0.1 port={self.port} user=odds dbname={database}"

    def url(self, database: str) -> str:
        return f"postgresql+psycopg2://odds@127.0.0.1:{self.port}/{database}"

    def new_database(self, copied: str = "template1") -> str:
        self.databases += 1
        name = f"odds_{self.databases}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {copied}")
        return name

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        import psycopg2

        connection = psycopg2.connect(self.dsn(database))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    # Not under pytest's folders: they are closed to the user postgres.
    folder = Path(tempfile.mkdtemp(prefix="odds-pg-"))
    if os.getuid() == 0:
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, grp.getgrnam("postgres").gr_gid)
    cluster = Postgres(folder, free_port())
    try:
        cluster.run(
            "initdb", "-D", str(folder / "data"), "-A", "trust", "-U", "odds", "-E", "UTF8", "--locale=C"
        )
        cluster.start()
        yield cluster
        cluster.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Server:
    """A process that listens on a port, started again at will."""

    def __init__(self, command: list[str], port: int, **environment: str) -> None:
        self.command, self.port = command, port
        self.environment = {**os.environ, **environment}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(self.command, env=self.environment, stdout=quiet, stderr=quiet)
        until(lambda: answers(self.port), 60, f"{self.command[0]} on port {self.port}")

    def kill(self, how: int = signal.SIGKILL) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[Server]:
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--appendonly", "yes"]
    server = Server(["redis-server", *options, "--appendfsync", "always", "--save", ""], port)
    server.start()
    try:
        yield server
    finally:
        server.kill(signal.SIGTERM)


@contextlib.contextmanager
def object_store() -> Iterator[str]:
    """An S3 server with the bucket ``odds``; its address."""
    port = free_port()
    code = f"from moto.server import main; main(['-H', '127.0.0.1', '-p', '{port}'])"
    server = Server([sys.executable, "-c", code], port)
    server.start()
    try:
        address = f"http://127.0.0.1:{port}"
        urllib.request.urlopen(urllib.request.Request(f"{address}/odds", method="PUT")).close()
        yield address
    finally:
        server.kill(signal.SIGTERM)
