"""Checks the suites: what they extend and what they audit exists."""

from collections.abc import Iterator
from pathlib import Path

from odds_pipeline.declarations.declared import DEFAULT_SUITE, Declared
from odds_pipeline.declarations.problems import Problem, nearest
from odds_pipeline.declarations.yaml_file import YamlFile

REQUIRED = (DEFAULT_SUITE, "indicators/defaults", "recueil")


def suite_problems(declared: Declared) -> Iterator[Problem]:
    """Every suite that extends, changes or audits nothing, and those that must be there."""
    for key, (suite, file) in declared.suites.items():
        if suite.extends is not None and suite.extends not in declared.suites:
            message = f"no suite {suite.extends!r}{nearest(suite.extends, declared.suites)}"
            yield file.problem(("extends",), message)
        if suite.extends == DEFAULT_SUITE and not suite.rules:
            yield file.problem((), f"it changes nothing of {DEFAULT_SUITE}: delete it")
        yield from _audits_something(declared, key, file)
    for required in REQUIRED:
        if _absent(declared, required):
            yield Problem(_path(required), 1, "the suite is missing")


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
