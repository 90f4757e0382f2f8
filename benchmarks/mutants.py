"""Breaks the code in small ways, one at a time, and says which breaks no test sees.

Usage: ``python -m benchmarks.mutants [ROOM …] [--each 20] [--seed 1]``. A mutant is a changed operator,
condition, constant, ``raise`` or SQL keyword; it is killed when one of its room's tests fails. The seed
draws the sample, so a run can be made again. Breaks are made in a copy of what git tracks.
"""

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 900

ROOMS: dict[str, tuple[list[str], list[str]]] = {
    "gate": (
        [
            "quality/gate.py",
            "quality/findings.py",
            "quality/lost_parts.py",
            "quality/waiting.py",
            "quality/accepted.py",
            "quality/sql/*.sql",
        ],
        [
            "pipeline/test_lost_parts.py",
            "pipeline/test_gate.py",
            "pipeline/test_audits.py",
            "pipeline/test_gate_geographies.py",
        ],
    ),
    "reception": (
        ["reception/*.py", "reception/sql/*.sql"],
        [
            "unit/test_tables.py",
            "unit/test_formats.py",
            "unit/test_reductions.py",
            "pipeline/test_doubtful_rows.py",
            "pipeline/test_hostile_files.py",
            "pipeline/test_receiving.py",
            "pipeline/test_awkward_files.py",
        ],
    ),
    "secrecy": (
        ["secrecy/*.py", "secrecy/sql/*.sql"],
        [
            "unit/test_suppression.py",
            "unit/test_protect.py",
            "unit/test_secrecy_rules.py",
            "pipeline/test_secrecy.py",
            "pipeline/test_attack.py",
        ],
    ),
    "geography": (["geography/*.py"], ["unit/test_territories.py", "pipeline/test_geographies.py"]),
    "formula": (
        ["declarations/formula/*.py", "indicators/comp*.py", "indicators/sql/*.sql"],
        ["unit/test_formula.py", "spec", "pipeline/test_recomputed.py"],
    ),
    "rights": (
        [
            "extranet/reading/rights.py",
            "extranet/reading/serving.py",
            "extranet/rendering.py",
            "extranet/identity/*.py",
        ],
        [
            "extranet/test_access_matrix.py",
            "extranet/test_signin.py",
            "extranet/test_serving.py",
            "extranet/test_oidc.py",
            "extranet/test_selections.py",
            "extranet/test_follows.py",
        ],
    ),
}
"""Files of ``odds_pipeline/`` that must fail closed, and the tests that watch them, quickest first."""

SWAPS: dict[type[ast.AST], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.And: ("and", "or"),
    ast.Or: ("or", "and"),
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.BitOr: ("|", "&"),
    ast.BitAnd: ("&", "|"),
}
SQL_SWAPS = (
    (r"\bAND\b", "OR"),
    (r"\bOR\b", "AND"),
    (r"\bIS NULL\b", "IS NOT NULL"),
    (r"\bIS NOT NULL\b", "IS NULL"),
    (r"\bLEFT JOIN\b", "JOIN"),
    (r"\bANTI JOIN\b", "SEMI JOIN"),
    (r"\bSEMI JOIN\b", "ANTI JOIN"),
    (r"\bmin\(", "max("),
    (r"\bmax\(", "min("),
    (r"(?<= )<=(?= )", "<"),
    (r"(?<= )>=(?= )", ">"),
    (r"(?<= )<(?= )", "<="),
    (r"(?<= )>(?= )", ">="),
    (r"(?<= )<>(?= )", "="),
    (r"(?<= )\+(?= )", "-"),
    (r"(?<= )-(?= )", "+"),
)


@dataclass(frozen=True)
class Mutant:
    """One break: what stands from ``start`` to ``end`` of the file is replaced by ``text``."""

    file: str
    line: int
    start: int
    end: int
    text: str


def python_mutants(file: str, code: str) -> Iterator[Mutant]:
    """Operators swapped, conditions turned, constants moved, refusals dropped."""
    starts = [0]
    for line in code.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def span(node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None and node.end_col_offset is not None
        return (
            starts[node.lineno - 1] + node.col_offset,
            starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def swap(op: ast.AST, left: ast.expr, right: ast.expr) -> Iterator[Mutant]:
        if type(op) not in SWAPS:
            return
        old, new = SWAPS[type(op)]
        begin = span(left)[1]
        at = code.encode()[begin : span(right)[0]].find(old.encode())
        if at >= 0:
            yield Mutant(file, left.lineno, begin + at, begin + at + len(old), new)

    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Compare):
            for left, op, right in zip(
                [node.left, *node.comparators], node.ops, node.comparators, strict=False
            ):
                yield from swap(op, left, right)
        elif isinstance(node, ast.BoolOp):
            yield from swap(node.op, node.values[0], node.values[1])
        elif isinstance(node, ast.BinOp):
            yield from swap(node.op, node.left, node.right)
        elif isinstance(node, ast.Raise):
            yield Mutant(file, node.lineno, *span(node), "pass")
        elif isinstance(node, ast.If | ast.IfExp):
            start, end = span(node.test)
            yield Mutant(file, node.lineno, start, end, f"not ({code.encode()[start:end].decode()})")
        elif isinstance(node, ast.Constant) and isinstance(node.value, int):
            moved = str(not node.value if isinstance(node.value, bool) else node.value + 1)
            yield Mutant(file, node.lineno, *span(node), moved)


def sql_mutants(file: str, code: str) -> Iterator[Mutant]:
    """Keywords and comparisons swapped, outside comments."""
    at = 0
    for number, line in enumerate(code.encode().splitlines(keepends=True), start=1):
        words = line.split(b"--")[0].decode(errors="ignore")
        for pattern, new in SQL_SWAPS:
            for found in re.finditer(pattern, words):
                start = at + len(words[: found.start()].encode())
                yield Mutant(file, number, start, start + len(found[0].encode()), new)
        at += len(line)


def mutants_of(patterns: list[str]) -> list[Mutant]:
    """Every break of the files that the patterns name."""
    found: list[Mutant] = []
    for path in sorted({p for pattern in patterns for p in (ROOT / "odds_pipeline").glob(pattern)}):
        make = sql_mutants if path.suffix == ".sql" else python_mutants
        found += make(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    return found


def copy_of_checkout(folder: Path) -> None:
    """What git tracks, as it stands; the real files beside the checkout, which some tests read."""
    if (real := ROOT.parent / "shared").is_dir():
        (folder.parent / real.name).symlink_to(real)
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, tracked.decode().split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)


def killer(folder: Path, mutant: Mutant | None, tests: list[str]) -> str:
    """The test that fails on the mutant, "" when none does; the file is as before afterwards."""
    path = folder / mutant.file if mutant else None
    whole = path.read_bytes() if path else b""
    if path and mutant:
        path.write_bytes(whole[: mutant.start] + mutant.text.encode() + whole[mutant.end :])
    try:
        command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider"]
        command += [f"tests/{one}" for one in tests]
        env = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            command, cwd=folder, env=env, capture_output=True, text=True, timeout=SECONDS
        )
        failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
        return "" if done.returncode == 0 else failed[1] if failed else "it cannot start"
    except subprocess.TimeoutExpired:
        return "it never ends"
    finally:
        if path:
            path.write_bytes(whole)


def told(mutant: Mutant, by: str) -> str:
    """One line: where, what was replaced, who saw it."""
    old = (ROOT / mutant.file).read_bytes()[mutant.start : mutant.end].decode()
    return (
        f"{'killed' if by else 'SURVIVED'} {mutant.file}:{mutant.line} {old!r} -> {mutant.text!r} {by}"
    )


def main() -> None:
    """Break and test, room after room."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rooms", nargs="*", choices=[*ROOMS, []])
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as held:
        folder = Path(held) / "checkout"
        copy_of_checkout(folder)
        for room in said.rooms or ROOMS:
            patterns, tests = ROOMS[room]
            if broken := killer(folder, None, tests):
                sys.exit(f"{room}: {broken} fails on the unbroken code")
            every = mutants_of(patterns)
            drawn = random.Random(said.seed).sample(every, min(said.each, len(every)))
            killed = 0
            for mutant in drawn:
                by = killer(folder, mutant, tests)
                killed += bool(by)
                print(told(mutant, by), flush=True)
            print(f"{room}: {killed} of {len(drawn)} killed, of {len(every)} possible", flush=True)


if __name__ == "__main__":
    main()
