"""Checks the suites: what they extend and what they audit exists."""

from collections.abc import Iterator
from pathlib import Path

from odds_pipeline.declarations.declared import Declared
from odds_pipeline.declarations.problems import Problem, nearest
from odds_pipeline.declarations.yaml_file import YamlFile

REQUIRED = ("indicators/defaults", "catalogue")


def suite_problems(declared: Declared) -> Iterator[Problem]:
    """Every suite that extends or audits nothing, and what has no suite."""
    for key, (suite, file) in declared.suites.items():
        if suite.extends is not None and suite.extends not in declared.suites:
            message = f"no suite {suite.extends!r}{nearest(suite.extends, declared.suites)}"
            yield file.problem(("extends",), message)
        yield from _audits_something(declared, key, file)
    for required in REQUIRED:
        if _absent(declared, required):
            yield Problem(_path(required), 1, "the suite is missing")
    for feed in declared.feeds.values():
        if _absent(declared, f"partners/{feed.id}"):
            message = f"no suite: {_path(f'partners/{feed.id}')} is missing"
            yield feed.file.problem((), message)


def _path(key: str) -> Path:
    return Path("expectations", f"{key}.yaml")


def _absent(declared: Declared, key: str) -> bool:
    return key not in declared.suites and _path(key) not in declared.failed


def _audits_something(declared: Declared, key: str, file: YamlFile) -> Iterator[Problem]:
    kind, _, audited = key.partition("/")
    known = {
        "partners": declared.feeds.keys(),
        "indicators": {f"{f.theme}/{f.id}" for f in declared.families.values()},
    }.get(kind)
    if known is None or audited in known or audited == "defaults":
        return
    asset = Path("assets", f"{key}.yaml")
    if not declared.failed & {asset, asset.parent / "partner.yaml"}:
        what = "feed" if kind == "partners" else "family"
        yield file.problem((), f"no {what} {audited!r}{nearest(audited, known)}")
