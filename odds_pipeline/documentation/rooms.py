"""The picture of the rooms: which package imports which, read from the sources."""

import ast
from pathlib import Path

import odds_pipeline

ENGINE = Path(odds_pipeline.__file__).parent
Arrows = dict[str, set[str]]


def arrows(root: Path = ENGINE) -> Arrows:
    """For each room, the rooms that its modules import."""
    found: Arrows = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if parts[0].startswith("_"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            rooms = {n.split(".")[1] for n in names if n.startswith(f"{ENGINE.name}.")}
            found.setdefault(parts[0], set()).update(rooms - {parts[0]})
    return {room: {one for one in others if one in found} for room, others in found.items()}


def reached(graph: Arrows, start: str) -> set[str]:
    """Every room that ``start`` leads to."""
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        for room in graph[ahead.pop()] - seen:
            seen.add(room)
            ahead.append(room)
    return seen


def circles(graph: Arrows) -> list[str]:
    """Rooms that lead back to themselves."""
    return sorted(room for room in graph if room in reached(graph, room))


def direct(graph: Arrows) -> Arrows:
    """Without the arrows that a longer way already tells, so that the picture can be read."""
    beyond = {room: reached(graph, room) for room in graph}
    return {
        room: {to for to in others if not any(to in beyond[via] for via in others - {to})}
        for room, others in graph.items()
    }


def page() -> str:
    """The picture as Markdown."""
    graph = arrows()
    lines = ["# Rooms", "", "Written by `make docs` from the imports: an arrow goes from a room to one"]
    lines += ["that it uses. Those that a longer way already tells are left out."]
    lines += ["", "```mermaid", "graph TD"]
    for room, others in sorted(direct(graph).items()):
        lines += [f"  {room} --> {to}" for to in sorted(others)]
    lines += ["```", "", f"Circles: {', '.join(circles(graph)) or 'none'}."]
    return "\n".join(lines) + "\n"
