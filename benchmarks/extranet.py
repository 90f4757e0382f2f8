"""Load on the members' site: a territory page with all its indicators, at a steady rate, one worker.

    python benchmarks/extranet.py [--rate 100] [--seconds 20]

Starts the site on the release of ``ODDS_HOME`` in a process of its own, sends requests at a steady rate
whether earlier ones have come back or not, and prints the time from the moment a request was *due*, so
that waiting counts. Three runs: all communes in turn with pages kept, the same with every page made
anew (each request has a query string of its own), and beside them the raw queries of the page.
"""

import argparse
import asyncio
import math
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from odds_pipeline.declarations.project import Project
from odds_pipeline.extranet.reading import queries
from odds_pipeline.extranet.reading.rights import Rights
from odds_pipeline.extranet.reading.serving import View
from odds_pipeline.release.published import current_number
from odds_pipeline.storage.home import Home


def percentile(values: list[float], share: float) -> float:
    """The value that ``share`` of them do not exceed, in milliseconds."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] * 1000


async def request(port: int, path: str) -> int:
    """One GET on a connection of its own; the status."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode())
    answer = await reader.read()
    writer.close()
    return int(answer.split(b" ", 2)[1])


async def load(port: int, paths: list[str], rate: float, seconds: float) -> tuple[list[float], int]:
    """Times from due to answered, and how many were not 200."""
    times: list[float] = []
    wrong = 0
    start = time.perf_counter()

    async def one(number: int) -> None:
        nonlocal wrong
        due = start + number / rate
        await asyncio.sleep(max(0, due - time.perf_counter()))
        status = await request(port, paths[number % len(paths)])
        times.append(time.perf_counter() - due)
        wrong += status != 200

    await asyncio.gather(*(one(number) for number in range(int(rate * seconds))))
    return times, wrong


def raw_queries(home: Home, codes: list[str]) -> list[float]:
    """Seconds of the page's queries alone, by territory."""
    number = current_number(home)
    assert number is not None
    with TemporaryDirectory() as folder:
        view = View(home, number, Rights(), Path(folder), Project.load().observatory)
        queries.latest_of_territory(view, codes[0], list(view.definitions))
        times = []
        for code in codes:
            start = time.perf_counter()
            queries.latest_of_territory(view, code, list(view.definitions))
            times.append(time.perf_counter() - start)
    return times


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=20)
    arguments = parser.parse_args()
    home = Home.from_environment()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "odds_pipeline.cli", "extranet", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ)
    try:
        for _ in range(120):
            try:
                asyncio.run(request(port, "/sante-du-site"))
                break
            except (OSError, IndexError):
                time.sleep(0.25)
        with TemporaryDirectory() as folder:
            number = current_number(home)
            assert number is not None
            places = View(
                home, number, Rights(), Path(folder), Project.load().observatory
            ).places.values()
        codes = [p.code for p in places if p.level == "commune"]
        kept = [f"/territoires/{code}" for code in codes]
        asyncio.run(load(port, kept, 20, len(kept) / 20))
        runs = {
            "kept": (kept, arguments.rate),
            "made anew": ([f"{path}?n={n}" for n in range(100) for path in kept], arguments.rate / 10),
        }
        for name, (paths, rate) in runs.items():
            times, wrong = asyncio.run(load(port, paths, rate, arguments.seconds))
            print(
                f"{name:10} {rate:5.0f} requests/s  p50 {percentile(times, 0.5):6.1f} ms  "
                f"p99 {percentile(times, 0.99):6.1f} ms  max {percentile(times, 1):6.1f} ms  "
                f"{len(times)} requests, {wrong} not 200"
            )
        times = raw_queries(home, codes)
        p50, p99 = percentile(times, 0.5), percentile(times, 0.99)
        print(f"{'raw query':26} p50 {p50:6.1f} ms  p99 {p99:6.1f} ms")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
