"""`python -m benchmarks.audit`: CPU seconds of an audit, in one run of 180 months and for one delivery.

Three figures of 42 territories are audited by the default suite, its rules repeated up to sixty. Great
Expectations is loaded first: that is paid once a process.
"""

import argparse
import resource
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from benchmarks.observatory import write_project
from odds_pipeline.declarations.declared import DEFAULT_SUITE
from odds_pipeline.declarations.project import Project
from odds_pipeline.quality.audit import audit
from odds_pipeline.quality.tables import keep_declared, keep_past
from odds_pipeline.quality.waiting import Waiting
from odds_pipeline.reception.reading import COLUMNS, Reading
from odds_pipeline.storage.scratch import scratch

FIRST_YEAR, TERRITORIES, RULES = 2010, 42, 60


def _cpu(work: Callable[[], object]) -> tuple[float, float]:
    """CPU and wall seconds of a call."""
    begin, clock = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    work()
    end = resource.getrusage(resource.RUSAGE_SELF)
    return end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime, time.monotonic() - clock


def _reading(project: Project, variables: list[str], months: list[str]) -> Reading:
    """What is read of a delivery: figures that move little from month to month."""
    places = [(t.code, "commune") for t in project.territories.communes(2024)]
    places += [("93", "departement"), ("FR", "france")][: TERRITORIES - len(places)]
    rows = [
        (v, code, level, 2024, month, float(1000 * (n + 1) + i), "A", "F", None, n + 2, 1, str(i), None)
        for i, month in enumerate(months)
        for v in variables
        for n, (code, level) in enumerate(places)
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return Reading(frame, tuple(months), 2024, 0, (), (), {v: v for v in variables})


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.audit", description=__doc__)
    parser.add_argument("--months", type=int, default=180)
    options = parser.parse_args()
    months = [f"{FIRST_YEAR + n // 12}-{n % 12 + 1:02d}" for n in range(options.months)]
    with TemporaryDirectory() as folder:
        write_project(Path(folder) / "project", 20)
        project = Project.load(Path(folder) / "project")
    entry = next(iter(project.feeds.values()))
    suite, file = project.suites[DEFAULT_SUITE]
    rules = dict(project.rules(DEFAULT_SUITE))
    own = list(rules.items())
    for n, (name, rule) in enumerate(islice(cycle(own), max(0, RULES - len(rules)))):
        rules[f"{name}_{n}"] = rule
    project.suites[DEFAULT_SUITE] = suite.model_copy(update={"rules": rules}), file
    variables = [entry.variable_id(name) for name in entry.feed.variables]
    history = _reading(project, variables, months)
    accepted = history.frame[
        ["variable", "month", "territory", "level", "geography", "value", "conf_status", "lines"]
    ].assign(feed=entry.id)
    nothing, before = accepted.iloc[:0], accepted[accepted["month"] < months[-1]]

    def audited(reading: Reading, past: pd.DataFrame) -> None:
        waiting = Waiting(entry.id, "delivery", "file.csv", "", reading, reading.months)
        with scratch() as tables:
            keep_past(tables, past, pd.DataFrame(columns=["feed", "name"]))
            keep_declared(tables, project, [entry])
            audit(project, [waiting], tables)

    loading, _ = _cpu(lambda: __import__("odds_pipeline.quality.expectations"))
    last = _reading(project, variables, months[-1:])
    audited(last, before)  # what is cached, once
    one = _cpu(lambda: audited(last, before))
    all_ = _cpu(lambda: audited(history, nothing))
    print(
        f"{len(own)} rules of the default suite, completed to {len(rules)}; {len(variables)} variables"
    )
    print(f"Great Expectations loaded            {loading:6.2f} CPU s, once a process")
    print(
        f"one delivery after {options.months - 1} months      {one[0]:6.2f} CPU s {one[1]:6.2f} s wall"
    )
    print(
        f"{options.months} months × {TERRITORIES} territories {all_[0]:8.2f} CPU s {all_[1]:6.2f} s wall"
    )


if __name__ == "__main__":
    main()
