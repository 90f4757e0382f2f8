"""This project on the same months: every feed and indicator run by Dagster, every partition recorded."""

import json
import sys

from odds_pipeline.orchestration import runs
from odds_pipeline.orchestration.components.shared import feed_key, indicator_key, project
from odds_pipeline.quality.outstanding import Work, outdated
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store


def main() -> None:
    """Run the feeds over their months, then the indicators, as `odds backfill` does."""
    home = Home.from_environment()
    with runs.instance_of(home) as instance:
        works = outdated(project(), home)
        assert runs.run_feeds(instance, Work(tuple(project().feeds), works[0].first, works[0].last))
        for batch in works:
            assert runs.run_indicators(instance, batch)
        entries = project().indicators
        # What is counted is what the interface shows, not what was meant to be recorded.
        recorded = sum(
            len(instance.get_materialized_partitions(indicator_key(entries[name].path)))
            for batch in works
            for name in batch.names
        )
        feeds = sum(len(instance.get_materialized_partitions(feed_key(f))) for f in project().feeds)
        count = len(instance.get_runs())
    with Store(home.warehouse).connect() as connection:
        row = connection.execute("SELECT count(value), sum(value) FROM indicator_values").fetchone()
    answer = {"values": row and row[0], "sum": row and row[1], "recorded": recorded}
    json.dump({**answer, "feeds": feeds, "runs": count}, sys.stdout)


if __name__ == "__main__":
    main()
