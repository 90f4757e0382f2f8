"""The project a Dagster user writes first: an asset an indicator, pandas, one run a month.

Defaults everywhere: `DuckDBPandasIOManager`, multiprocess executor, SQLite instance. Measured on a few
indicators and months, since the whole would take days.
"""

import json
import os
import sys

import dagster as dg
import duckdb
import pandas as pd
from dagster_duckdb_pandas import DuckDBPandasIOManager

from benchmarks.observatory import FIRST, month
from odds_pipeline.declarations.project import Project

MONTHS = dg.MonthlyPartitionsDefinition(start_date=f"{FIRST}-01")


def _asset(name: str, part: str, total: str) -> dg.AssetsDefinition:
    @dg.asset(name=name, partitions_def=MONTHS, metadata={"partition_expr": "day"})
    def indicator(context: dg.AssetExecutionContext) -> pd.DataFrame:
        with duckdb.connect(os.environ["BENCH_SOURCE"], read_only=True) as source:
            return source.execute(
                "SELECT CAST(? AS DATE) AS day, n.territory, 100 * n.value / q.value AS value "
                "FROM observations n JOIN observations q USING (month, territory) "
                "WHERE n.variable = ? AND q.variable = ? AND n.month = ?",
                [context.partition_key, part, total, context.partition_key[:7]],
            ).df()

    return indicator


def job() -> dg.JobDefinition:
    """A job of the first ``BENCH_INDICATORS`` indicators."""
    entries = list(Project.load().indicators.values())[: int(os.environ["BENCH_INDICATORS"])]
    formulas = [(e.id, e.indicator.parsed) for e in entries]
    assets = [_asset(i, f.numerator[0].variable, f.denominator[0].variable) for i, f in formulas]
    io = DuckDBPandasIOManager(database=os.environ["BENCH_TARGET"], schema="public")
    definitions = dg.Definitions(
        assets=assets, jobs=[dg.define_asset_job("monthly", assets)], resources={"io_manager": io}
    )
    return definitions.resolve_job_def("monthly")


def main(months: int) -> None:
    """One run a month, each step in a process of its own."""
    with dg.DagsterInstance.get() as instance:
        for index in range(months):
            with dg.execute_job(
                dg.reconstructable(job),
                instance=instance,
                tags={"dagster/partition": f"{month(index)}-01"},
            ) as result:
                assert result.success
    with duckdb.connect(os.environ["BENCH_TARGET"]) as target:
        row = target.execute(
            "SELECT sum(estimated_size) FROM duckdb_tables() WHERE schema_name = 'public'"
        ).fetchone()
    json.dump({"values": row and int(row[0])}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]))
