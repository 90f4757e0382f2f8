"""Known vulnerabilities of the pinned packages, by the OSV database of PyPI: a file, or its download.

Status 1 when a pinned version is known to be vulnerable, 0 otherwise. Without data it says so: nothing
was asked then, and nothing is claimed. The data: ``ODDS_OSV``, or the download (a zip of JSON records).
"""

import io
import json
import os
import re
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ADDRESS = "https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)", re.MULTILINE)


def canonical(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(locks: list[Path]) -> dict[str, str]:
    """Version by package."""
    found = (_PIN.findall(lock.read_text(encoding="utf-8")) for lock in locks)
    return {canonical(name): version for pairs in found for name, version in pairs}


def records(data: bytes) -> Iterator[dict[str, Any]]:
    """The records that were not withdrawn."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            record = json.loads(archive.read(name))
            if "withdrawn" not in record:
                yield record


def vulnerable(pins: dict[str, str], record: dict[str, Any]) -> set[str]:
    """Packages that the record names with their pinned version: OSV lists every version of PyPI."""
    return {
        name
        for affected in record.get("affected", [])
        if (name := canonical(affected.get("package", {}).get("name", ""))) in pins
        and pins[name] in affected.get("versions", [])
    }


def database() -> bytes | None:
    """The records' archive: the file at hand, else the download; ``None`` when there is neither."""
    if path := os.environ.get("ODDS_OSV"):
        return Path(path).read_bytes()
    try:
        with urllib.request.urlopen(ADDRESS, timeout=30) as answer:
            content: bytes = answer.read()
            return content
    except (urllib.error.URLError, OSError):
        return None


def main(locks: list[Path]) -> int:
    """Say what is known of each pinned package."""
    pins, data = pinned(locks), database()
    if data is None:
        print(f"Vulnerabilities NOT LOOKED FOR: {ADDRESS} does not answer and ODDS_OSV names no file.")
        return 0
    found = [(name, r) for r in records(data) for name in sorted(vulnerable(pins, r))]
    for name, record in found:
        print(f"{name} {pins[name]}: {record['id']} {record.get('summary', '')}")
    print(f"{len(pins)} pinned packages, {len(found)} known vulnerabilities.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main([Path(path) for path in sys.argv[1:]]))
