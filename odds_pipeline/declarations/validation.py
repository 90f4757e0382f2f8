"""Reads declaration files into their classes; what is wrong is said in the words of who writes YAML."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from odds_pipeline.declarations.problems import DeclarationError, Problem, nearest
from odds_pipeline.declarations.yaml_file import Loc, YamlFile, read_yaml

Model = TypeVar("Model", bound=BaseModel)

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping of keys",
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
}


class Reader:
    """Reads the files of one project folder and gathers their mistakes, each at its line.

    ``failed`` are the files of which something could not be read: what they would have declared is
    not known, so nothing may be said of a name that they could hold.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[Problem] = []
        self.failed: set[Path] = set()

    def file(self, path: Path) -> YamlFile | None:
        """The file as plain Python, or None when it is no YAML."""
        file = read_yaml(path, self.root if path.is_relative_to(self.root) else path.parent)
        self.problems += file.problems
        if file.problems:
            self.failed.add(file.path)
            return None
        return file

    def validate(self, model: type[Model], file: YamlFile, data: Any, at: Loc = ()) -> Model | None:
        """``data``, which stands at ``at`` in the file, as ``model``."""
        try:
            return model.model_validate(data)
        except ValidationError as error:
            self.problems += _problems(error, model, file, data, at)
            self.failed.add(file.path)
            return None

    def declared(self, model: type[Model], path: Path) -> tuple[Model, YamlFile] | None:
        """The whole file as ``model``."""
        file = self.file(path)
        declaration = self.validate(model, file, file.data) if file else None
        return (declaration, file) if file and declaration is not None else None

    def required(self, model: type[Model], path: Path) -> Model:
        """The whole file as ``model``; :class:`DeclarationError` lists its mistakes with their lines."""
        if (read := self.declared(model, path)) is None:
            raise DeclarationError(self.problems)
        return read[0]


def same_name(file: YamlFile, found: str, expected: str, what: str) -> Iterator[Problem]:
    """A declaration is known by the name of the file or folder that holds it."""
    if found != expected:
        message = f"id {found!r} differs from the name of its {what}, {expected!r}"
        yield file.problem(("id",), message)


def _problems(
    error: ValidationError, model: type[BaseModel], file: YamlFile, data: Any, at: Loc
) -> list[Problem]:
    """One problem for each place: what each branch of a union would have is one message."""
    told: dict[Loc, list[str]] = {}
    for detail in _causes(error.errors()):
        place = _place(data, detail)
        message = _describe(detail, place, model)
        before = told.setdefault(place, [])
        if before and place:
            message = message.removeprefix(f"{place[-1]}: ")
        before.append(message)
    return [
        file.problem((*at, *place), ", or ".join(dict.fromkeys(messages)))
        for place, messages in told.items()
    ]


def _causes(details: Sequence[Any]) -> Iterator[Any]:
    """Without what is missing because its key is misspelt."""
    unknown = [d["loc"] for d in details if d["type"] == "extra_forbidden"]
    for detail in details:
        beside = [str(loc[-1]) for loc in unknown if loc[:-1] == detail["loc"][:-1]]
        if detail["type"] != "missing" or not nearest(str(detail["loc"][-1]), beside):
            yield detail


def _place(data: Any, detail: Any) -> Loc:
    """The steps of pydantic's location that stand in the file: not the names of classes of a union."""
    place: list[str | int] = []
    for step in detail["loc"]:
        try:
            data = data[step]
        except (LookupError, TypeError):
            continue
        place.append(step)
    return (*place, detail["loc"][-1]) if detail["type"] == "missing" else tuple(place)


def _describe(error: Any, place: Loc, model: type[BaseModel]) -> str:
    key = str(place[-1]) if place else ""
    found = f" (found {error['input']!r})"
    match error["type"]:
        case "extra_forbidden":
            known = _known_keys(model, place[:-1])
            expected = f"; expected one of: {', '.join(sorted(known))}" if known else ""
            return f"unknown key {key!r}{nearest(key, known)}{expected}"
        case "missing":
            return f"{key!r} is missing"
        case "union_tag_not_found":
            return f"{key}: {error['ctx']['discriminator']} is missing"
        case "literal_error" | "union_tag_invalid":
            context = error["ctx"]
            wrong = str(context.get("tag", error["input"]))
            return _choice(key, wrong, context.get("expected") or context["expected_tags"])
        case "string_pattern_mismatch":
            return f"{key}: {error['input']!r} does not match {error['ctx']['pattern']}"
        case kind if kind in _EXPECTED:
            return f"{key}: expected {_EXPECTED[kind]}{found}" if key else f"expected {_EXPECTED[kind]}"
        case _:
            said = error["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
            return f"{key}: {said}{found}" if key else said


def _choice(key: str, wrong: str, expected: str) -> str:
    choices = [c.strip("'") for c in expected.replace(" or ", ", ").split(", ")]
    return f"{key}: {wrong!r} is not one of {', '.join(choices)}{nearest(wrong, choices)}"


def _known_keys(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The keys that the class at ``loc`` accepts, or none when it cannot be told."""
    current: Any = model
    for step in loc:
        if not (isinstance(current, type) and issubclass(current, BaseModel)):
            break
        if step in current.model_fields:
            current = current.model_fields[str(step)].annotation
            for argument in _arguments(current):
                if isinstance(argument, type) and issubclass(argument, BaseModel):
                    current = argument
    if isinstance(current, type) and issubclass(current, BaseModel):
        return [f.alias or name for name, f in current.model_fields.items()]
    return []


def _arguments(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _arguments(argument)
