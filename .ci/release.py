"""Makes a version: checked, built as a wheel, tagged with its section of the changelog.

``python .ci/release.py 0.3.0``. Refuses, before it has changed anything, a tree with changes, a version
that the package does not bear, one that has a tag, and one whose section is not dated today.
"""

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

MONTHS = "January February March April May June July August September October November December".split()


def git(*arguments: str) -> str:
    """What git answers."""
    done = subprocess.run(["git", *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def section(changelog: str, version: str, today: date) -> str:
    """The version's section; ends the program when it is absent or of another day."""
    heading = f"## {version} – {today.day} {MONTHS[today.month - 1]} {today.year}"
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if found is None:
        sys.exit(f"CHANGELOG.md has no section « {heading} »: write it, then start again")
    return found[1].strip()


def main(version: str) -> None:
    """Check, build, tag; the tag is pushed by a person."""
    text = section(Path("CHANGELOG.md").read_text("utf-8"), version, date.today())
    if f'__version__ = "{version}"' not in Path("odds_pipeline/__init__.py").read_text("utf-8"):
        sys.exit(f"odds_pipeline/__init__.py bears another version than {version}: write it there")
    if changed := git("status", "--porcelain"):
        sys.exit(f"there are changes that no commit holds:\n{changed}")
    if git("tag", "--list", f"v{version}"):
        sys.exit(f"the tag v{version} is there: a version is made once")
    subprocess.run([".ci/run"], check=True)
    subprocess.run([".venv/bin/python", "-m", "build", "--wheel"], check=True)
    git("tag", "--annotate", f"v{version}", "--message", f"{version}\n\n{text}")
    print(f"dist/ holds the wheel; git push origin v{version} publishes the tag")


if __name__ == "__main__":
    main(sys.argv[1])
