"""Cost by number of territories, up to the country: embedded (DuckDB file) against server (DuckLake).

``python -m benchmarks.scale`` draws observations of every variable that 520 of the project's own
indicators read, for made-up communes in départements of 350, then computes the indicators with the
pipeline's own statements. Each measure is a process of its own; figures are CPU seconds of that process
(PostgreSQL's, under 1 % of it, are not counted), its peak memory and what is on disk at the end. They
are printed and kept in ``benchmarks/scale.json``.
"""

import argparse
import dataclasses
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

INDICATORS = 520
COMMUNES_PER_DEPARTEMENT = 350
MEMORY = "5GB"
SIZES = (40, 400, 4_000, 35_000)
RESULTS = Path(__file__).with_name("scale.json")

_OBSERVATIONS = """
INSERT INTO observations (variable, month, territory, level, geography, value, obs_status, conf_status,
    lower_bound, delivery, line, lines, known_from, known_to)
SELECT v.variable, m.month, c.territory, 'commune', 2024,
       100 + hash(v.variable, c.territory, m.month) % 900, 'A', 'F', NULL,
       v.feed || m.month, 1, 1, 1, NULL
FROM drawn_months m CROSS JOIN drawn_variables v CROSS JOIN drawn_communes c
"""


def _territories(communes: int) -> Any:
    from odds_pipeline.geography.territories import Territories, Territory

    departements = [f"D{n:03d}" for n in range(-(-communes // COMMUNES_PER_DEPARTEMENT))]
    inside = tuple(
        Territory(f"{n:05d}", f"Commune {n}", "commune", 2024, departement=departements[n // 350])
        for n in range(communes)
    )
    wholes = tuple(Territory(code, code, "departement", 2024) for code in departements)
    return Territories((*inside, *wholes, Territory("FR", "France", "france", 2024)), (2024,))


def measure(communes: int, months: int) -> dict[str, Any]:
    """Draw, compute, and say what it took; the deployment is that of the environment."""
    from odds_pipeline.declarations.project import Project
    from odds_pipeline.indicators.compute import compute
    from odds_pipeline.storage.home import Home
    from odds_pipeline.storage.store import Store, transaction

    project = dataclasses.replace(Project.load(), territories=_territories(communes))
    names = sorted(project.indicators)[:INDICATORS]
    read = {v for name in names for v in project.indicators[name].indicator.parsed.variables}
    read |= {project.indicators[name].indicator.driving_variable for name in names}
    frames = {
        "drawn_variables": pd.DataFrame(
            [(v, project.variables[v][0].id) for v in sorted(read)], columns=["variable", "feed"]
        ),
        "drawn_communes": pd.DataFrame({"territory": [f"{n:05d}" for n in range(communes)]}),
        "drawn_months": pd.DataFrame({"month": [f"2024-{n + 1:02d}" for n in range(months)]}),
    }
    home = Home.from_environment()
    # DuckDB spills there, and on a server nothing else makes it.
    home.path.mkdir(parents=True, exist_ok=True)
    answer: dict[str, Any] = {"communes": communes, "months": months, "variables": len(read)}
    with Store(home.warehouse).connect() as connection:
        connection.execute(f"SET memory_limit = '{MEMORY}'")
        connection.execute(f"SET temp_directory = '{home.path}/spill'")
        connection.execute("SET preserve_insertion_order = false")
        for name, frame in frames.items():
            connection.register(name, frame)
        start = time.process_time()
        with transaction(connection):
            feeds = "(SELECT DISTINCT feed FROM drawn_variables) CROSS JOIN drawn_months"
            connection.execute(
                "INSERT INTO delivered_months "
                f"SELECT feed || month, feed, month, 'accepted', 1, now()::TIMESTAMP FROM {feeds}"
            )
            connection.execute(
                "INSERT INTO verdicts "
                f"SELECT feed || month, month, 'lisible', 'critical', true, '', '', 0, '[]' FROM {feeds}"
            )
            connection.execute(_OBSERVATIONS)
        drawn = time.process_time()
        with transaction(connection):
            compute(project, connection, names)
        answer |= {
            "load_cpu": round(drawn - start, 1),
            "compute_cpu": round(time.process_time() - drawn, 1),
        }
        row = connection.execute("SELECT count(*), count(value) FROM indicator_values").fetchone()
        answer |= {"rows": row and row[0], "values": row and row[1]}
    answer["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    data = Path(os.environ.get("ODDS_LAKE", str(home.warehouse)))
    files = data.rglob("*") if data.is_dir() else [data]
    answer["disk_mb"] = round(sum(f.stat().st_size for f in files if f.is_file()) / 1e6, 1)
    return answer


def _one(communes: int, months: int, environment: dict[str, str]) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "benchmarks.scale",
        "--communes",
        str(communes),
        "--months",
        str(months),
    ]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _server(postgres: Any, folder: Path) -> dict[str, str]:
    return {
        "ODDS_DEPLOYMENT": "server",
        "ODDS_CATALOGUE": postgres.dsn(postgres.new_database()),
        "ODDS_LAKE": str(folder / "lake"),
        "ODDS_SHARED": str(folder / "shared"),
    }


def main(longest: int) -> None:
    """Measure each size for one month, and the largest for ``longest`` months, in both deployments."""
    from tests import services

    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    with services.postgres() as postgres:
        for communes, months in [*((size, 1) for size in SIZES), (SIZES[-1], longest)]:
            for kind in ("embedded", "server"):
                with tempfile.TemporaryDirectory(prefix="odds-scale-") as name:
                    folder = Path(name)
                    environment = {"ODDS_HOME": str(folder / "home")}
                    if kind == "server":
                        environment |= _server(postgres, folder)
                    start = time.monotonic()
                    answer = {"deployment": kind, **_one(communes, months, environment)}
                    answer["wall"] = round(time.monotonic() - start, 1)
                    print(json.dumps(answer), flush=True)
                    key = (kind, communes, months)
                    results = [
                        r for r in results if (r["deployment"], r["communes"], r["months"]) != key
                    ]
                    results.append(answer)
                    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--communes", type=int, help="measure this size only, here, as JSON")
    parser.add_argument("--months", type=int, default=12)
    arguments = parser.parse_args()
    if arguments.communes:
        json.dump(measure(arguments.communes, arguments.months), sys.stdout)
    else:
        main(arguments.months)
