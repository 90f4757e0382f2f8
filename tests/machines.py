"""Debian machines for tests: root folder, accounts, processes, host name and network of their own, systemd in each.

They are namespaces of this machine, as containers are, and see its kernel and clock. Their private network
has no way out, and what listens on it can be reached from them alone. Killing a machine ends all that runs
in it; its files are in one folder.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from . import services

SCRIPT = Path(__file__).with_name("machine.sh")
TOOLS = ("debootstrap", "unshare", "nsenter", "setpriv", "ip", "openssl")
NETWORK = "10.77.0"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing() -> list[str]:
    """What this machine lacks to make others."""
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    if os.getuid() != 0:
        absent.append("root")
    if "overlay" not in Path("/proc/filesystems").read_text():
        absent.append("overlay file systems")
    if _cgroups() is None:
        absent.append("cgroups (v2)")
    return absent


def _cgroups() -> Path | None:
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(where)
    return None


def bare(folder: Path) -> Path:
    """Debian 12 as it is installed, nothing chosen: the files of a machine before the first command.

    ``ODDS_DEBIAN`` names a folder that holds them already.
    """
    if made := os.environ.get("ODDS_DEBIAN"):
        return Path(made)
    subprocess.run(
        ["debootstrap", "bookworm", str(folder), "http://deb.debian.org/debian"],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return folder


class Machine:
    """``lower`` are the folders of files it begins with, the uppermost first; ``own`` is what it writes."""

    def __init__(self, name: str, folder: Path, lower: list[Path]) -> None:
        self.name, self.folder, self.lower = name, folder, lower
        self.own = folder / "own"
        for each in (self.own, folder / "work", folder / "root"):
            each.mkdir(parents=True)
        self.address = ""
        self.cgroup = Path()
        self.process: subprocess.Popen[bytes] | None = None

    def _environment(self, mounts: Mapping[str, Path], **more: str) -> dict[str, str]:
        lines = "".join(f"{source} {target}\n" for target, source in mounts.items())
        (self.folder / "mounts").write_text(lines)
        lower = ":".join(str(each) for each in self.lower)
        own = {"NAME": self.name, "FOLDER": str(self.folder), "ROOT": str(self.folder / "root")}
        return {"PATH": f"{os.environ['PATH']}:{PATH}", **own, "LOWER": lower, **more}

    def install(self, command: str, mounts: Mapping[str, Path] | None = None) -> None:
        """Run a command in its files before it is started, with the network of this machine."""
        here = {"DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"}
        if found := os.environ.get("SSL_CERT_FILE"):
            names = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO")
            here |= {"AUTHORITIES": found, **dict.fromkeys(names, "/run/authorities.pem")}
        for name, value in os.environ.items():
            if name.lower() in ("http_proxy", "https_proxy", "no_proxy"):
                here[name] = value
        # What is installed is not started: there is no systemd yet.
        policy = (
            "printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d\n"
            "trap 'rm /usr/sbin/policy-rc.d' EXIT\n"
        )
        authorities = '[ -z "${AUTHORITIES:-}" ] || export SSL_CERT_FILE=/run/authorities.pem\n'
        whole = f"export PATH={PATH}\n{policy}{authorities}{command}\n"
        with (self.folder / "install.log").open("ab") as log:
            done = subprocess.run(
                ["bash", str(SCRIPT), "shell"],
                env={**self._environment(mounts or {}, COMMAND=whole), **here},
                stdout=log, stderr=log, check=False,
            )  # fmt: skip
        assert done.returncode == 0, (self.folder / "install.log").read_text()[-3000:]

    def write(self, path: str, text: str) -> None:
        """A file of root's, readable by all, before or after it is started."""
        if self.process is not None:
            self.run(f"mkdir -p {Path(path).parent} && cat > {path} && chmod 644 {path}", said=text)
            return
        file = self.own / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o644)

    def start(self, lan: "Lan", number: int, mounts: Mapping[str, Path] | None = None) -> None:
        """Boot; ``mounts`` are folders of this machine that it sees under a path of its own."""
        root = _cgroups()
        assert root is not None
        self.address, self.cgroup = f"{NETWORK}.{number}", root / f"odds-{os.getpid()}-{self.name}"
        self.cgroup.mkdir()
        self.write("/etc/hostname", f"{self.name}\n")
        more = {"ADDRESS": self.address, "CGROUP": str(self.cgroup), "LAN": str(lan.process.pid)}
        with (self.folder / "boot.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["bash", str(SCRIPT), "start"],
                env=self._environment(mounts or {}, **more), start_new_session=True, stdout=log, stderr=log,
            )  # fmt: skip
        services.until(self._booted, 60, f"{self.name} booted")

    def _booted(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "boot.log").read_text()
        if self.init is None:
            return False
        done = self._nsenter("systemctl is-system-running", None)
        return done.stdout.strip() in ("running", "degraded")

    @property
    def init(self) -> int | None:
        """Its first process, as this machine counts them."""
        assert self.process is not None
        pid = self.process.pid
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(found[0]) if found else None

    def _nsenter(self, command: str, said: str | None) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["nsenter", "--target", str(self.init), "--all", "bash", "-c", command],
            env={"PATH": PATH, "HOME": "/root"}, input=said, capture_output=True, text=True,
            check=False, timeout=900,
        )  # fmt: skip

    def run(self, command: str, said: str | None = None, status: int = 0) -> str:
        """What a command of root's shell prints; it ends with ``status``."""
        done = self._nsenter(f"cd /root && {command}", said)
        assert done.returncode == status, f"{self.name}: {command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def off(self) -> None:
        """As one that loses its power."""
        if self.process is not None:
            if self.init is not None:
                os.kill(self.init, signal.SIGKILL)
            else:
                self.process.kill()
            self.process.wait()
            self.process = None
        if self.cgroup.is_dir():
            for path, _, _ in os.walk(self.cgroup, topdown=False):
                services.until(lambda p=path: _removed(Path(p)), 30, f"{path} is empty")


def _removed(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        folder.rmdir()
    return not folder.exists()


class Lan:
    """The private network of machines: a bridge in a namespace of its own."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        ours, theirs = Path("/proc/self/ns/net"), Path(f"/proc/{self.process.pid}/ns/net")
        services.until(lambda: theirs.readlink() != ours.readlink(), 10, "a network")
        for options in ("add lan type bridge", "set lan up"):
            command = ["nsenter", "--target", str(self.process.pid), "--net", "ip", "link"]
            subprocess.run([*command, *options.split()], check=True)


@contextlib.contextmanager
def lan() -> Iterator[Lan]:
    """A private network; it ends with the block."""
    made = Lan()
    try:
        yield made
    finally:
        made.process.kill()
        made.process.wait()
