"""A fingerprint of all that a project folder declares, so that a release says what made it."""

import hashlib
from pathlib import Path

FOLDERS = ("assets", "expectations", "resources")


def fingerprint(root: Path) -> str:
    """Equal for two folders that hold the same files under the same names."""
    found = hashlib.sha256()
    for folder in FOLDERS:
        for path in sorted(p for p in (root / folder).rglob("*") if p.is_file()):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            found.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return found.hexdigest()
