"""Load on the members' site: pages kept, pages made anew, and pages kept while others ask for junk.

    python benchmarks/extranet.py [--seconds 20] [--only kept]

Starts the site on the release of ``ODDS_HOME`` in its own process and sends requests at a steady rate
whether earlier ones have come back or not. A time is from when a request was *due*, so that waiting
counts; the processor's time of the server, by request, does not depend on what else the machine does.
"""

import argparse
import asyncio
import math
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from odds_pipeline.declarations.project import Project
from odds_pipeline.extranet.reading.rights import Rights
from odds_pipeline.extranet.reading.serving import View
from odds_pipeline.release.published import current_number
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


async def side_by_side(port: int, streams: list[Stream], seconds: float) -> None:
    """Run streams at once and print the counted ones."""
    found = await asyncio.gather(*(load(port, stream, seconds) for stream in streams))
    for stream, (times, sizes, failed) in zip(streams, found, strict=True):
        if stream.counted:
            print(
                f"{stream.name:24} {stream.rate:4.0f}/s  p50 {percentile(times, 0.5):7.1f} ms  "
                f"p99 {percentile(times, 0.99):7.1f} ms (wanted {stream.wanted:3.0f})  "
                f"largest {max(sizes) / 1000:5.1f} kB  {len(times)} requests, {failed} failed"
            )


def processor_seconds(pid: int) -> float:
    """What the process has used of the processors."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def scenarios(view: View) -> Iterator[list[Stream]]:
    """Each is what is asked for at once. Pages made anew are all different ones."""
    codes = [p.code for p in view.places.values() if p.level == "commune"]
    kept = [f"/territoires/{code}" for code in codes]
    names = sorted(view.valued)
    chosen = [f"/indicateurs/{name}?territoire={code}" for code in codes for name in names]
    others = [f"/territoires/{code}/{theme}" for theme in view.observatory.themes for code in codes]
    against = [
        f"/territoires/{code}?avec={a}" for a in ("ept", "france", "semblables") for code in codes
    ]
    junk = [f"/indicateurs/x{n}" for n in range(9999)]
    words = [f"/recherche?q=mot{n}" for n in range(9999)]
    yield [Stream("territories, kept", kept, 300, 30)]
    yield [Stream("territories, made anew", against, 40, 250)]
    yield [Stream("themes, made anew", others, 10, 250)]
    yield [Stream("indicators, made anew", chosen, 40, 250)]
    yield [
        Stream("kept, beside 40 unknown", kept, 100, 50),
        Stream("", junk, 40, 0, counted=False),
    ]
    yield [
        Stream("kept, beside 40 searches", kept, 100, 50),
        Stream("", words, 40, 0, counted=False),
    ]


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--only", default="", help="part of a name")
    arguments = parser.parse_args()
    home = Home.from_environment()
    number = current_number(home)
    assert number is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "odds_pipeline.cli", "extranet", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ)
    try:
        for _ in range(240):
            try:
                asyncio.run(request(port, "/sante-du-site"))
                break
            except (OSError, IndexError):
                time.sleep(0.25)
        with TemporaryDirectory() as folder:
            view = View(home, number, Rights(), Path(folder), Project.load().observatory)
        asyncio.run(load(port, next(scenarios(view))[0], 1))
        for streams in scenarios(view):
            if arguments.only in streams[0].name:
                # Pages made anew must not come round again.
                seconds = min(arguments.seconds, max(1, len(streams[0].paths) / streams[0].rate))
                seconds = arguments.seconds if "kept" in streams[0].name else seconds
                before = processor_seconds(server.pid)
                asyncio.run(side_by_side(port, streams, seconds))
                used = processor_seconds(server.pid) - before
                asked = seconds * sum(stream.rate for stream in streams)
                print(f"{'':24} {1000 * used / asked:5.2f} ms of processor by request")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
