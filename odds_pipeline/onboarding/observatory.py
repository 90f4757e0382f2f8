"""A new observatory: what is declared here and holds for another département, in a folder of its own.

What describes a body of the former département is left out: contracts of files that nobody publishes,
notes and breaks that speak of its places, publications. What the checks then refuse is left out in turn.
"""

import csv
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from odds_pipeline.declarations.checks.reach import REFERENCE
from odds_pipeline.declarations.observatory import FILE, Observatory
from odds_pipeline.declarations.problems import Problem
from odds_pipeline.declarations.project import Project
from odds_pipeline.french import LEVELS, LEVELS_PLURAL
from odds_pipeline.onboarding.national import BEYOND, EVENT, TERRITORY, Reference, typographic
from odds_pipeline.onboarding.period import CannotPropose
from odds_pipeline.onboarding.tilemap import tiles

OWN = ("studies", "*_20*.csv", "neighbourhoods.csv")
"""What an observatory writes for itself."""
SAID = {"notes", "breaks", "cautions", "method"}
"""Lists of sentences, of which one may be about a place."""
GROUPED = (
    (r"((?:levels|also): \[[^\]]*)\bept\b", r"\1epci"),
    (LEVELS_PLURAL["ept"], LEVELS_PLURAL["epci"]),
    (LEVELS["ept"], LEVELS["epci"]),
    (r"\bEPT\b", "EPCI"),
)
"""The groups of communes, by the name they have out of the métropole of Paris."""
UNWRITABLE = re.compile(r'["#:\\{}\[\]\n]')
"""What would end or begin something in the declarations that the observatory's name is written into."""
Check = Callable[[Project], list[Problem]]
ROUNDS = 8
"""Leaving something out may leave something else without what it reads; never as often as this."""


@dataclass
class Made:
    """The new folder, and what was left out with the reason."""

    folder: Path
    left_out: list[str] = field(default_factory=list)


def new_observatory(
    project: Project, reference: Reference, label: str, outlines: Path, folder: Path, check: Check
) -> Made:
    """Write the project folder of other départements; :class:`CannotPropose` says why not.

    ``check`` gives the problems of a project, all that `odds check` lists.
    """
    if folder.exists():
        raise CannotPropose(f"{folder} exists: a new observatory needs a folder of its own")
    label = typographic(label)
    if found := UNWRITABLE.search(label):
        raise CannotPropose(f"{found[0]!r} in {label!r}: a name of words, without signs of YAML")
    territories, events = reference.territories(), reference.events()
    communes = {r[0]: r[1] for r in territories if r[2] == "commune"}
    drawn = tiles(outlines, communes, {e[2]: e[3] for e in events})
    made = Made(folder, [f"resources/reference/territories.csv: {said}" for said in reference.astride])
    for name in ("assets", "expectations", "resources"):
        shutil.copytree(project.root / name, folder / name, ignore=shutil.ignore_patterns(*OWN))
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(project.root / name, folder / name)
    _write(folder / REFERENCE / "territories.csv", TERRITORY, [*territories, *_countries(project)])
    _write(folder / REFERENCE / "territory_events.csv", EVENT, events)
    _write(folder / REFERENCE / "communes_beyond.csv", BEYOND, reference.beyond())
    _write(folder / REFERENCE / "tiles.csv", ["code", "column", "row", "short_label"], drawn)
    _leave_out_nomenclatures(project, made)
    _leave_out_models(project, made)
    for path in sorted(folder.rglob("*.yaml")):
        _say_other_places(project, path, reference, label, made)
    _date_portrait(folder)
    _leave_out_what_is_refused(made, check)
    return made


def _date_portrait(folder: Path) -> None:
    """The portrait is of the newest communes that there are."""
    path, newest = (
        folder / "assets/portrait_social.yaml",
        Project.read(folder).territories.geographies[-1],
    )
    text = path.read_text(encoding="utf-8")
    path.write_text(
        re.sub(r"^geography: .*$", f"geography: {newest}", text, flags=re.M), encoding="utf-8"
    )


def _countries(project: Project) -> list[list[str]]:
    path = project.root / REFERENCE / "territories.csv"
    with path.open(encoding="utf-8", newline="") as file:
        listed = csv.DictReader(file, delimiter=";")
        return [[r.get(c) or "" for c in TERRITORY] for r in listed if r["level"] == "france"]


def _write(path: Path, header: list[str], rows: Iterable[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";", lineterminator="\n").writerows([header, *rows])


def _leave_out_nomenclatures(project: Project, made: Made) -> None:
    """Tables of the former département's finer codes; those of the country stay."""
    ours = {t.code for t in project.territories.all if t.level == "commune"}
    for path in sorted((made.folder / REFERENCE / "nomenclatures").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            told = {c for r in csv.DictReader(file, delimiter=";") for c in r["territories"].split("|")}
        if told & ours:
            _leave_out(made, path.relative_to(made.folder), "finer codes of the former département")


def _leave_out_models(project: Project, made: Made) -> None:
    """Contracts of the observatory's own models, which no public file is a source of."""
    for entry in project.feeds.values():
        if entry.feed.kind == "template" and not entry.feed.sources:
            _leave_out(
                made, Path("assets/partners", f"{entry.id}.yaml"), "a model of a partner's own file"
            )


def _leave_out(made: Made, path: Path, why: str) -> None:
    if (made.folder / path).exists():
        (made.folder / path).unlink()
        made.left_out.append(f"{path}: {why}")
    if path.parts[0] == "assets":
        within = path.relative_to("assets")
        (made.folder / "expectations" / within).unlink(missing_ok=True)
        (made.folder / "resources" / "simulation" / Path(*within.parts[1:])).unlink(missing_ok=True)
    parent = (made.folder / path).parent
    if {p.name for p in parent.iterdir()} <= {"partner.yaml"}:
        shutil.rmtree(parent)


def _say_other_places(
    project: Project, path: Path, reference: Reference, label: str, made: Made
) -> None:
    """Names and codes of the new département; notes and breaks that speak of the former one go."""
    former = project.observatory
    text = _without_items(path.read_text(encoding="utf-8"), _places(project), path, made)
    for ours in (f"{former.label} {former.of_territory}", former.label):
        text = text.replace(ours, label)
    text = renamed(text, former, reference.label, reference.of_label)
    for region in _regions(project):
        text = text.replace(region, reference.region_label)
    for said, elsewhere in GROUPED:
        text = re.sub(said, elsewhere, text)
    for code in former.departements:
        listed = '", "'.join(reference.departements)
        said = reference.departements[0] if len(reference.departements) == 1 else reference.label
        text = re.sub(rf'\["{code}"\]', f'["{listed}"]', text)
        text = re.sub(rf"(département ){code}\b", rf"\g<1>{said}", text)
        named = rf"^(\s*(?:short_label|label|owner|source):.*)\b{code}\b"
        text = re.sub(named, rf"\g<1>{said}", text, flags=re.M)
    if path.name == "partner.yaml":
        text = re.sub(
            r"^(id: \w+)$", r"\1  # confirm label, status, since, description", text, flags=re.M
        )
    if path.relative_to(made.folder) == FILE:
        text = _named(text, former, label, reference)
    path.write_text(text, encoding="utf-8")


def renamed(text: str, former: Observatory, label: str, of_label: str) -> str:
    """The former département's names replaced, all at once: the new label may hold the former one."""
    names = {
        former.of_territory: of_label,
        former.territory: label,
        former.territory.upper(): label.upper(),
    }
    return re.sub("|".join(map(re.escape, names)), lambda found: names[found[0]], text)


def _named(text: str, former: Observatory, label: str, reference: Reference) -> str:
    for key, said in (("signature", f"{label}."), ("short_label", label)):
        text = re.sub(rf"^{key}: .*$", f"{key}: {said}", text, count=1, flags=re.M)
    return re.sub(rf"^id: {former.id}\b", f"id: odds{reference.id}", text, flags=re.M)


def _places(project: Project) -> re.Pattern[str]:
    """The former observatory's région, département and communes, as sentences name them."""
    names = {t.label for t in project.territories.all if t.level == "commune"}
    named = {project.observatory.territory, *_regions(project), *names}
    return re.compile("|".join(map(re.escape, sorted(named))))


def _regions(project: Project) -> set[str]:
    return {t.label for t in project.territories.all if t.level == "region"}


def _without_items(text: str, places: re.Pattern[str], path: Path, made: Made) -> str:
    """The file less the items of lists (notes, breaks, cautions) that name a place of ours."""
    lines = text.splitlines(keepends=True)
    node = yaml.compose(text)
    for first, last in sorted(_items(node, lines, places), reverse=True):
        said = " ".join("".join(lines[first:last]).split())
        made.left_out.append(
            f"{path.relative_to(made.folder)}: speaks of the former département: {said}"
        )
        del lines[first:last]
        if lines[first - 1].rstrip().endswith(":") and not _goes_on(lines, first):
            lines[first - 1] = lines[first - 1].rstrip() + " []\n"
    return "".join(line for line in lines if not (line.lstrip().startswith("#") and places.search(line)))


def _goes_on(lines: list[str], line: int) -> bool:
    return line < len(lines) and lines[line].lstrip().startswith("-")


def _items(
    node: yaml.Node | None, lines: list[str], places: re.Pattern[str], key: str = ""
) -> Iterator[tuple[int, int]]:
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and key in SAID:
        for i, item in enumerate(node.value):
            first = item.start_mark.line
            last = node.value[i + 1].start_mark.line if i + 1 < len(node.value) else _end(item, lines)
            if places.search(" ".join(_words(item))):
                yield first, last
    elif isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            yield from _items(value, lines, places, name.value)


def _words(node: yaml.Node) -> Iterator[str]:
    if isinstance(node, yaml.ScalarNode):
        yield node.value
    for child in node.value if isinstance(node, yaml.CollectionNode) else ():
        yield from (
            _words(child) if isinstance(child, yaml.Node) else (w for n in child for w in _words(n))
        )


def _end(item: yaml.Node, lines: list[str]) -> int:
    """The line after an item: a block ends where the next thing begins."""
    line, column = item.end_mark.line, item.end_mark.column
    return line + 1 if line < len(lines) and lines[line][:column].strip() else line


def _leave_out_what_is_refused(made: Made, check: Check) -> None:
    for _ in range(ROUNDS):
        problems = check(Project.read(made.folder))
        if not problems:
            return
        for path, own in _by_file(problems).items():
            _refused(made, path, own)
    raise CannotPropose(f"{made.folder} is not right yet: {problems[0]}")


_EMPTY_ITEM = re.compile(r"^( *)- .*\n(?:\1  .*\n)*?\1  indicators: \[\]\n(?:\1  .*\n)*", re.M)
"""An item of a list that has no indicator left."""
_NO_INDICATOR = re.compile(r"no indicator '(\w+)'")


def _by_file(problems: Iterable[Problem]) -> dict[Path, list[Problem]]:
    found: dict[Path, list[Problem]] = {}
    for problem in problems:
        found.setdefault(problem.file, []).append(problem)
    return found


def _refused(made: Made, path: Path, problems: list[Problem]) -> None:
    """A contract or a suite goes whole, of a family the indicators, of other lists the lines."""
    if path.parts[:2] == ("assets", "indicators"):
        _without_indicators(made, path, problems)
    elif path.parts[:2] == ("assets", "partners") or path.parts[0] == "expectations":
        _leave_out(made, path, problems[0].message)
    elif path.parts[0] == "assets":
        text = (made.folder / path).read_text(encoding="utf-8")
        for name in sorted({m[1] for p in problems if (m := _NO_INDICATOR.search(p.message))}):
            made.left_out.append(f"{path}: {name}")
            text = re.sub(rf"^ *- {name}\n", "", text, flags=re.M)
            text = re.sub(rf"\b{name}\b,? ?", "", text)
        text = _EMPTY_ITEM.sub("", text.replace(", ]", "]"))
        (made.folder / path).write_text(text, encoding="utf-8")


def _without_indicators(made: Made, path: Path, problems: list[Problem]) -> None:
    text = (made.folder / path).read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    root = yaml.compose(text)
    assert root is not None
    stanzas = next(v for k, v in root.value if k.value == "indicators")
    starts = [key.start_mark.line for key, _ in stanzas.value]
    spans = list(zip(starts, [*starts[1:], len(lines)], strict=True))
    bad = [s for s in spans if any(s[0] <= p.line - 1 < s[1] for p in problems)] or spans
    if len(bad) == len(spans):
        _leave_out(made, path, problems[0].message)
        return
    for first, last in reversed(bad):
        made.left_out.append(f"{path}: {lines[first].strip(' :' + chr(10))}")
        del lines[first:last]
    (made.folder / path).write_text("".join(lines), encoding="utf-8")
