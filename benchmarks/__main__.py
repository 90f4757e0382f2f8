"""`make bench`: measures, prints ratios, writes ``benchmarks/results.json``. Takes some ten minutes."""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.observatory import Size, fill, write_project
from odds_pipeline.declarations.project import Project
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

RESULTS = Path(__file__).parent / "results.json"


@dataclass(frozen=True)
class Measure:
    """CPU seconds of a process and of those it started, wall seconds, peak memory in MB, its answer."""

    cpu: float
    wall: float
    memory: float
    answer: Any


def measure(module: str, arguments: list[str], environment: dict[str, str]) -> Measure:
    """Run ``python -m module`` and weigh it."""
    begin = time.monotonic()
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", module, *arguments],
            stdout=output,
            stderr=errors,
            env={**os.environ, **environment},
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begin
        if status != 0:
            errors.seek(0)
            raise SystemExit(f"{module} failed:\n{errors.read()[-4000:]}")
        output.seek(0)
        text = output.read()
    answer = json.loads(text) if text.startswith("{") else None
    return Measure(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, answer)


class Observatory:
    """Declarations and accepted observations of one size, copied afresh for each measurement."""

    def __init__(self, folder: Path, size: Size) -> None:
        self.folder, self.size = folder / f"{size.indicators}x{size.months}", size
        self.root = self.folder / "project"
        write_project(self.root, size.indicators)
        project = Project.load(self.root)
        with Store(self.folder / "warehouse.duckdb").connect() as connection:
            fill(project, connection, size.months)

    def fresh(self) -> Home:
        home = Home(self.folder / "home")
        shutil.rmtree(home.path, ignore_errors=True)
        home.path.mkdir()
        shutil.copyfile(self.folder / "warehouse.duckdb", home.warehouse)
        return home

    def _environment(self, home: Home) -> dict[str, str]:
        return {"ODDS_PROJECT": str(self.root), "ODDS_HOME": str(home.path)}

    def floor(self) -> Measure:
        home = self.fresh()
        found = measure("benchmarks.floor", [str(home.warehouse)], self._environment(home))
        assert found.answer["values"] == self.size.values
        return found

    def pipeline(self) -> tuple[Measure, float]:
        """The measure, and the megabytes that the values and Dagster's records take."""
        home = self.fresh()
        before = home.warehouse.stat().st_size
        found = measure("benchmarks.pipeline", [], self._environment(home))
        assert found.answer["values"] == self.size.values
        assert found.answer["recorded"] == self.size.asset_months
        log = sum(f.stat().st_size for f in home.dagster.rglob("*") if f.is_file())
        return found, (home.warehouse.stat().st_size - before + log) / 2**20

    def naive(self, indicators: int, months: int) -> Measure:
        home = self.fresh()
        home.dagster.mkdir()
        environment = {
            **self._environment(home),
            "DAGSTER_HOME": str(home.dagster),
            "DAGSTER_DISABLE_TELEMETRY": "1",
            "BENCH_SOURCE": str(home.warehouse),
            "BENCH_TARGET": str(home.path / "naive.duckdb"),
            "BENCH_INDICATORS": str(indicators),
        }
        return measure("benchmarks.naive", [str(months)], environment)


def month_of_everything(folder: Path) -> list[Measure]:
    """One December of every feed, from files received to release, on an observatory of a year."""
    from odds_pipeline.demo.deliveries import write_deliveries

    home = Home(folder / "month")
    environment = {"ODDS_HOME": str(home.path)}
    measure("odds_pipeline.cli", ["demo", "--months", "12", "--last", "2024-11"], environment)
    shutil.rmtree(home.landing)
    found = []
    for attempt in range(2):
        own = Home(folder / f"month{attempt}")
        shutil.copytree(home.path, own.path)
        write_deliveries(Project.load(), own.landing, "2024-12", "2024-12", faults=False)
        files = str(len(list(own.landing.iterdir())))
        one = measure("odds_pipeline.cli", ["run"], {"ODDS_HOME": str(own.path)})
        found.append(Measure(one.cpu, one.wall, one.memory, files))
    return found


def naive_cost(observatory: Observatory, size: Size) -> tuple[float, str]:
    """CPU seconds of the naive project for the whole history, from what a run and a step cost."""
    few, many, months = 2, 8, 2
    small, large = observatory.naive(few, months), observatory.naive(many, months)
    step = (large.cpu - small.cpu) / ((many - few) * months)
    run = max(0.0, (small.cpu - few * months * step) / months)
    note = (
        f"{months} runs of {few} and of {many} assets: {step:.2f} CPU s a step, {run:.1f} a run; scaled"
    )
    return step * size.asset_months + run * size.months, note


def main() -> None:
    """Measure everything and write the results."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--indicators", type=int, default=520)
    parser.add_argument("--months", type=int, default=180)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--history-only", action="store_true", help="neither curve nor month")
    parser.add_argument("--keep", action="store_true", help="write benchmarks/results.json")
    options = parser.parse_args()
    size = Size(options.indicators, options.months)
    load = os.getloadavg()
    print(f"machine: {os.cpu_count()} CPU, load average {load[0]:.1f} {load[1]:.1f} {load[2]:.1f}")
    print(
        f"history: {size.indicators} monthly indicators × 42 territories × {size.months} months "
        f"= {size.asset_months} asset-months, {size.values} values"
    )
    with tempfile.TemporaryDirectory(prefix="odds-bench-") as name:
        folder = Path(name)
        observatory = Observatory(folder, size)
        floors = [observatory.floor() for _ in range(options.repeat)]
        pipelines = [observatory.pipeline() for _ in range(options.repeat)]
        floor = statistics.median(m.cpu for m in floors)
        ours = statistics.median(m.cpu for m, _ in pipelines)
        gaps = {abs(f.answer["sum"] / m.answer["sum"] - 1) for f in floors for m, _ in pipelines}
        assert max(gaps) < 1e-9, f"the floor and the project do not compute the same values: {gaps}"
        last, disk = pipelines[-1]
        print(f"(a) plain DuckDB        {floor:8.1f} CPU s  memory {floors[-1].memory:.0f} MB")
        print(f"(b) this project        {ours:8.1f} CPU s  {last.wall:.0f} s wall")
        print(
            f"    {last.answer['runs']} runs, {last.answer['recorded']} indicator and "
            f"{last.answer['feeds']} feed partitions, memory {last.memory:.0f} MB, disk {disk:.0f} MB"
        )
        naive, note = naive_cost(observatory, size)
        print(f"(c) first-written one {naive:10.0f} CPU s  ({note})")
        print(f"(c) / (b) {naive / ours:.0f} times   (b) / (a) {ours / floor:.1f} times")
        curve = []
        for share in () if options.history_only else (1, 2, 3):
            for one in (
                Size(size.indicators, size.months * share // 4),
                Size(size.indicators * share // 4, size.months),
            ):
                own, _ = Observatory(folder, one).pipeline()
                curve.append((one, own.cpu))
        curve.append((size, ours))
        for one, cpu in curve:
            print(
                f"    {one.indicators:4d} indicators × {one.months:3d} months  {cpu:6.1f} CPU s, "
                f"{1000 * cpu / one.asset_months:.3f} ms an asset-month"
            )
        months = [] if options.history_only else month_of_everything(folder)
        if months:
            figures = [f"{m.wall:.1f} s wall, {m.cpu:.1f} CPU s, {m.memory:.0f} MB" for m in months]
            print(
                f"one month of everything, {months[0].answer} files of December 2024, from reception to "
                f"release: {'; '.join(figures)}"
            )
    results = {
        "history_vs_naive": round(naive / ours),
        "history_vs_floor": round(ours / floor, 1),
        "month_seconds": round(min((m.wall for m in months), default=0), 1) or None,
        "month_cpu_seconds": round(min((m.cpu for m in months), default=0), 1) or None,
        "cpu_seconds": {
            "floor": [round(m.cpu, 1) for m in floors],
            "pipeline": [round(m.cpu, 1) for m, _ in pipelines],
            "naive_scaled": round(naive),
        },
        "curve": [[one.indicators, one.months, round(cpu, 1)] for one, cpu in curve],
        "size": {"asset_months": size.asset_months, "values": size.values},
        "measured_on": {
            "cpus": os.cpu_count(),
            "load_average": [round(x, 1) for x in load],
            "load_average_after": [round(x, 1) for x in os.getloadavg()],
            "machine": platform.machine(),
            "python": platform.python_version(),
        },
    }
    if options.keep:
        RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
        print(f"written: {RESULTS}")


if __name__ == "__main__":
    main()
