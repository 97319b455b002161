"""What is said about an `outrider.toml` that is not right: the key, its line, and what is allowed."""

import re
from typing import get_args

from pydantic_core import ErrorDetails

from outrider.model.base import Model
from outrider.model.errors import RecipeError

RECIPE_FILE = "outrider.toml"


def recipe_error(problem: ErrorDetails, source: str, file: type[Model]) -> RecipeError:
    """The error for the first problem in the text of a recipe, whose keys are those of `file`."""
    where = problem["loc"]
    key = _spell(where)
    line = _line_of(where, source)
    place = f"{RECIPE_FILE}, line {line}" if line else RECIPE_FILE
    if problem["type"] == "extra_forbidden":
        allowed = ", ".join((_table(where[:-1], file) or file).model_fields)
        return RecipeError(f"{place}: `{key}` is not a key.", f"Allowed are: {allowed}.")
    if problem["type"] == "missing":
        return RecipeError(f"{place}: `{key}` is missing.", _meaning(where, file))
    said = _SAID.get(problem["type"]) or problem["msg"].removeprefix("Value error, ").replace("Input should", "should")
    if problem["type"] == "string_pattern_mismatch":
        said = f"{problem['input']!r:.100} is not allowed"
    subject = f"`{key}`: " if key else ""
    return RecipeError(f"{place}: {subject}{said}.", _meaning(where, file))


def _spell(where: tuple[int | str, ...]) -> str:
    """`checks[1].name` for a location in the parsed file, counted from 1 as people do."""
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in where).removeprefix(".")


def _line_of(where: tuple[int | str, ...], source: str) -> int | None:
    """The line of a key, or of its table where the key is missing; None where it is written in another style."""
    lines = source.splitlines()
    start: int | None = None
    if len(where) > 1:
        tables = [number for number, line in enumerate(lines) if re.match(rf"\s*\[+\s*{where[0]}\s*\]+", line)]
        wanted = where[1] if isinstance(where[1], int) else 0
        if wanted < len(tables):
            start = tables[wanted]
        elif isinstance(where[-1], str):
            return None
    name = next((part for part in reversed(where) if isinstance(part, str)), None)
    if name is None:
        return None
    for number, line in enumerate(lines[start or 0 :], (start or 0) + 1):
        if re.match(rf"""\s*["']?{re.escape(name)}["']?\s*=""", line):
            return number
        if start is not None and number > start + 1 and line.lstrip().startswith("["):
            break
    return None if start is None else start + 1


def _table(where: tuple[int | str, ...], file: type[Model]) -> type[Model] | None:
    """The type of the table below the key at a location, where there is one."""
    field = file.model_fields.get(str(where[0])) if where else None
    kinds = [] if field is None else [field.annotation, *get_args(field.annotation)]
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Model)), None)


def _meaning(where: tuple[int | str, ...], file: type[Model]) -> str:
    """What is allowed for the key at a location, from the type itself."""
    names = [part for part in where if isinstance(part, str)]
    if not names:
        return ""
    table = _table(where, file) if len(names) > 1 else None
    field = (table.model_fields.get(names[1]) if table else None) or file.model_fields.get(names[0])
    hint = _HINTS.get(names[1] if table else names[0], "")
    meaning = field.description if field is not None and field.description else ""
    return " ".join(part for part in (f"{meaning}." if meaning else "", hint) if part)


_SAID = {
    "tuple_type": "should be a list",
    "string_type": "should be a string in quotes",
    "float_parsing": "should be a number",
    "float_type": "should be a number",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "model_type": "should be a table",
    "int_type": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_from_float": "should be a whole number",
}

_HINTS = {
    "packages": "A package is named in lower case letters, digits, plus, dot and dash, such as `libpq-dev`.",
    "tests": "A glob is relative to the repository and has no `..` and at most eight stars, such as `tests/**`.",
    "setup_inputs": "A glob is relative to the repository and has no `..` and at most eight stars, such as `uv.lock`.",
    "services": "Each service is a [[services]] table with a name and a command.",
    "preview": "Each preview is a [[preview]] table with a name and a port.",
    "hosts": "A host is a name such as `registry.example.com`, `*.example.com` or `example.com:8443`.",
    "image": "Name registry, repository and tag or digest.",
    "checks": "Each check is a [[checks]] table with a name and a command.",
}
