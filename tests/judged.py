"""What most tests of figures begin with: files received, and all that waits judged."""

from collections.abc import Iterable
from pathlib import Path

from odds_pipeline.declarations.project import Project
from odds_pipeline.quality.gate import Judgement, judge_pending
from odds_pipeline.reception.receipt import Receipt
from odds_pipeline.reception.receive import receive
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store


def received_and_judged(
    project: Project, home: Home, paths: Iterable[Path]
) -> tuple[list[Receipt], list[Judgement]]:
    """As `odds run` does it, the warehouse open from one file and one feed to the next."""
    with Store(home.warehouse).kept_open():
        receipts = list(receive(project, home, paths))
        feeds = sorted({r.feed for r in receipts if r.feed})
        return receipts, [j for feed in feeds for j in judge_pending(project, home, feed)]
