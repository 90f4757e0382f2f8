"""Load on the members' site: pages kept, pages made anew, kept beside junk, as a release goes live.

    python benchmarks/extranet.py [--seconds 20] [--only kept]

Starts the site in its own process on a twin of ``ODDS_HOME``, where nothing is written, and sends
requests at a steady rate whether earlier ones have come back or not. A time is from when a request was
*due*, so that waiting counts. The processor's time of the server, by request, hardly depends on what
else the machine does.
"""

import argparse
import asyncio
import math
import os
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.read_publications import read_publications
from odds_pipeline.extranet.reading.rights import Rights
from odds_pipeline.extranet.reading.serving import View
from odds_pipeline.extranet.warming import EVERY
from odds_pipeline.release.published import current_number, go_live
from odds_pipeline.storage.home import Home

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Stream:
    """Addresses asked for at a rate; ``wanted`` is the 99th percentile to hold, in milliseconds."""

    name: str
    paths: list[str]
    rate: float
    wanted: float
    counted: bool = True
    live: bool = False
    """Whether a release goes live in the middle."""


def percentile(values: list[float], share: float) -> float:
    """The value that ``share`` of them do not exceed, in milliseconds."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] * 1000


async def request(port: int, path: str) -> tuple[int, int]:
    """One GET on a connection of its own; the status and the bytes of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode())
    answer = await reader.read()
    writer.close()
    return int(answer.split(b" ", 2)[1]), len(answer)


async def load(port: int, stream: Stream, seconds: float) -> tuple[list[float], list[int], int]:
    """Times from due to answered, sizes, and how many were not answered as a page is."""
    times: list[float] = []
    sizes: list[int] = []
    failed = 0
    start = time.perf_counter()

    async def one(number: int, path: str) -> None:
        nonlocal failed
        due = start + number / stream.rate
        await asyncio.sleep(max(0, due - time.perf_counter()))
        status, size = await request(port, path)
        times.append(time.perf_counter() - due)
        sizes.append(size)
        failed += status >= 500 or (stream.counted and status != 200)

    asked = islice(cycle(stream.paths), int(stream.rate * seconds))
    await asyncio.gather(*(one(number, path) for number, path in enumerate(asked)))
    return times, sizes, failed


async def side_by_side(home: Home, port: int, streams: list[Stream], seconds: float) -> None:
    """Run streams at once and print the counted ones."""
    live = any(stream.live for stream in streams)
    change = asyncio.create_task(in_the_middle(home, seconds)) if live else None
    found = await asyncio.gather(*(load(port, stream, seconds) for stream in streams))
    if change is not None:
        await change
    for stream, (times, sizes, failed) in zip(streams, found, strict=True):
        if stream.counted:
            print(
                f"{stream.name:27} {stream.rate:4.0f}/s  p50 {percentile(times, 0.5):7.1f} ms  "
                f"p99 {percentile(times, 0.99):7.1f} ms (wanted {stream.wanted:3.0f})  "
                f"largest {max(sizes) / 1000:5.1f} kB  {len(times)} requests, {failed} failed"
            )


def processor_seconds(pid: int) -> float:
    """What the process has used of the processors."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def scenarios(view: View, publics: Collection[str]) -> Iterator[list[Stream]]:
    """Each is what is asked for at once. Pages made anew are all different ones."""
    codes = [p.code for p in view.places.values() if p.level == "commune"]
    kept = [f"/territoires/{code}" for code in codes]
    names = sorted(view.valued)
    chosen = [f"/indicateurs/{name}?territoire={code}" for code in codes for name in names]
    others = [f"/territoires/{code}/{theme}" for theme in view.observatory.themes for code in codes]
    publics = [f"/territoires/{code}/public/{public}" for public in publics for code in codes]
    against = [f"/territoires/{code}?avec={a}" for a in ("ept", "france") for code in codes] + publics
    junk = [f"/indicateurs/x{n}" for n in range(9999)]
    words = [f"/recherche?q=mot{n}" for n in range(9999)]
    yield [Stream("territories, kept", kept, 300, 30)]
    yield [Stream("territories, made anew", against, 40, 250)]
    yield [Stream("themes, made anew", others, 10, 250)]
    yield [Stream("indicators, made anew", chosen, 40, 250)]
    yield [
        Stream("kept, a release goes live", kept, 100, 250, live=True),
        Stream("made anew, beside it", chosen[::-1], 10, 250),
    ]
    yield [
        Stream("kept, beside 40 unknown", kept, 100, 50),
        Stream("", junk, 40, 0, counted=False),
    ]
    yield [
        Stream("kept, beside 40 searches", kept, 100, 50),
        Stream("", words, 40, 0, counted=False),
    ]


def twin(home: Home, folder: Path) -> Home:
    """The same observatory by links, with its current release once more under the next number."""
    number = current_number(home)
    assert number is not None
    for path in home.path.iterdir():
        if path.name not in ("releases", "extranet"):
            (folder / path.name).symlink_to(path)
    releases = folder / "releases"
    releases.mkdir()
    for path in home.releases.iterdir():
        if path.name != "current":
            (releases / path.name).symlink_to(path)
    (releases / f"{number + 1:04d}").symlink_to(home.releases / f"{number:04d}")
    made = Home(folder)
    go_live(made, number)
    return made


async def in_the_middle(home: Home, seconds: float) -> None:
    """The next release goes live at half of that time."""
    await asyncio.sleep(seconds / 2)
    go_live(home, (current_number(home) or 0) + 1)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--only", default="", help="part of a name")
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        home = twin(Home.from_environment(), Path(folder))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "odds_pipeline.cli", "extranet", "--port", str(port)]
        environment = {**os.environ, "ODDS_HOME": folder}
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
        try:
            _measure(home, port, server.pid, arguments.seconds, arguments.only)
        finally:
            server.terminate()
            server.wait()


def _measure(home: Home, port: int, pid: int, seconds: float, only: str) -> None:
    for _ in range(240):
        try:
            asyncio.run(request(port, "/sante-du-site"))
            break
        except (OSError, IndexError):
            time.sleep(0.25)
    number, project = current_number(home), Project.load()
    socle = read_publications(project).socle
    assert number is not None
    with TemporaryDirectory() as folder:
        view = View(home, number, Rights(), Path(folder), project.observatory)
    time.sleep(3 * EVERY)  # the site warms first
    asked = list(scenarios(view, socle.publics if socle else ()))
    asyncio.run(load(port, asked[0][0], 1))
    for streams in asked:
        if only not in streams[0].name:
            continue
        # Pages made anew must not come round again.
        lasts = min([seconds, *(len(s.paths) / s.rate for s in streams if "anew" in s.name)])
        before = processor_seconds(pid)
        asyncio.run(side_by_side(home, port, streams, max(1, lasts)))
        used = processor_seconds(pid) - before
        requests = max(1, lasts) * sum(stream.rate for stream in streams)
        print(f"{'':27} {1000 * used / requests:5.2f} ms of processor by request", flush=True)


if __name__ == "__main__":
    main()
