"""The recipe of a repository: what it needs, how it is set up and how it is checked. Read from `outrider.toml`.

    packages = ["postgresql"]
    setup = ["python3 -m venv .venv", ".venv/bin/pip install -e .[test]"]

    [[checks]]
    name = "tests"
    command = ".venv/bin/pytest --junitxml=$OUTRIDER_JUNIT"

What is examined does not set the exam: the recipe that judges a change is always that of the base commit.
"""

import re
import tomllib
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import ErrorDetails

from outrider.model.base import Model
from outrider.model.errors import RecipeError
from outrider.proof.globs import fixed_folder

RECIPE_FILE = "outrider.toml"

RECIPE_BYTES_LIMIT = 64 << 10
"""A recipe is written by hand; this is a hundred times the longest one that was written."""

DEFAULT_TESTS = (
    "tests/**",
    "test/**",
    "**/tests/**",
    "**/__tests__/**",
    "**/test_*.py",
    "**/*_test.py",
    "**/*.test.*",
    "**/*.spec.*",
    "**/*_test.go",
)
"""Where tests live by the customs of pytest, jest, vitest, node and Go."""

PackageName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9+.-]{1,99}$")]
ShellCommand = Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=r"^[^\x00]+$")]


def _stays_inside(path: str) -> str:
    if path.startswith("/") or ".." in path.split("/") or not path.isprintable():
        raise ValueError(f"{path!r} is not a path below the repository")
    if path.count("*") > STARS_LIMIT or "***" in path:
        raise ValueError(f"{path!r} has more stars than a glob may have")
    return path


def _starts_with_a_name(path: str) -> str:
    if fixed_folder(path) == "":
        raise ValueError(f"{path!r} must begin with the name of a folder")
    return path


STARS_LIMIT = 8
"""Each star of a glob is a loop of the matcher."""

Glob = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_stays_inside)]
ReportPath = Annotated[Glob, AfterValidator(_starts_with_a_name)]


class CheckSpec(Model):
    """One command that says by its exit code whether the repository is well."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}$", description="Letters, digits, spaces, dots, dashes; unique"
    )
    command: ShellCommand = Field(description="Run by `sh -c` in the checkout, as the guest's user")
    timeout_seconds: float = Field(
        default=900, gt=0, le=6 * 3600, description="After this it is killed and the check has timed out"
    )
    junit: ReportPath | None = Field(
        default=None,
        description="Path or glob of the JUnit XML that the command writes, below the checkout and beginning with a "
        "fixed name. Without it the command writes to the file that OUTRIDER_JUNIT names",
    )
    egress: bool = Field(default=False, description="Whether the command may reach the allowed hosts of the network")


class RecipeFile(Model):
    """The keys of `outrider.toml`."""

    packages: tuple[PackageName, ...] = Field(
        default=(), max_length=200, description="Debian packages, installed into the image as root"
    )
    setup: tuple[ShellCommand, ...] = Field(
        default=(),
        max_length=50,
        description="Commands run in order in a fresh checkout, as the guest's user, with egress",
    )
    setup_timeout_seconds: float = Field(default=1800, gt=0, le=6 * 3600, description="For all setup commands together")
    setup_inputs: tuple[Glob, ...] | None = Field(
        default=None,
        max_length=50,
        description="Globs of the only files that setup depends on. Where none of them changed, a finished setup is "
        "used again. Without it every commit is set up anew",
    )
    checks: tuple[CheckSpec, ...] = Field(default=(), max_length=20)
    tests: tuple[Glob, ...] = Field(
        default=DEFAULT_TESTS,
        max_length=50,
        description="Globs of test files: those of the change are laid over the base to see them fail there",
    )

    @model_validator(mode="after")
    def _names_are_unique(self) -> "RecipeFile":
        names = [check.name for check in self.checks]
        doubled = next((name for name in names if names.count(name) > 1), None)
        if doubled is not None:
            raise ValueError(f"two checks are named “{doubled}”; each needs a name of its own")
        return self


class Recipe(RecipeFile):
    """A recipe and where it comes from."""

    source: str = Field(max_length=200, description="outrider.toml, what it was detected from, or empty")
    notice: str = Field(default="", max_length=1000, description="What a person should know about it, in a sentence")


def parse_recipe(text: bytes) -> Recipe:
    """Parse `outrider.toml`. Raises RecipeError, which names the key, its line and what is allowed."""
    if len(text) > RECIPE_BYTES_LIMIT:
        raise RecipeError(f"{RECIPE_FILE} is larger than {RECIPE_BYTES_LIMIT >> 10} kB.", "Move scripts into files.")
    try:
        source = text.decode()
        keys = tomllib.loads(source)
    except UnicodeDecodeError as error:
        raise RecipeError(f"{RECIPE_FILE} is not UTF-8: {error.reason} at byte {error.start}.") from error
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{RECIPE_FILE} is not valid TOML: {error}.") from error
    try:
        file = RecipeFile.model_validate(keys)
    except ValidationError as error:
        raise _recipe_error(error.errors(include_url=False)[0], source) from error
    return Recipe(**dict(file), source=RECIPE_FILE, notice="" if file.checks else f"{RECIPE_FILE} names no checks.")


def _recipe_error(problem: ErrorDetails, source: str) -> RecipeError:
    where = problem["loc"]
    key = _spell(where)
    line = _line_of(where, source)
    place = f"{RECIPE_FILE}, line {line}" if line else RECIPE_FILE
    if problem["type"] == "extra_forbidden":
        allowed = ", ".join(CheckSpec.model_fields if where[0] == "checks" else RecipeFile.model_fields)
        return RecipeError(f"{place}: `{key}` is not a key.", f"Allowed are: {allowed}.")
    if problem["type"] == "missing":
        return RecipeError(f"{place}: `{key}` is missing.", _meaning(where))
    said = _SAID.get(problem["type"]) or problem["msg"].removeprefix("Value error, ").replace("Input should", "should")
    if problem["type"] == "string_pattern_mismatch":
        said = f"{problem['input']!r:.100} is not allowed"
    subject = f"`{key}`: " if key else ""
    return RecipeError(f"{place}: {subject}{said}.", _meaning(where))


def _spell(where: tuple[int | str, ...]) -> str:
    """`checks[1].name` for a location in the parsed file, counted from 1 as people do."""
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in where).removeprefix(".")


def _line_of(where: tuple[int | str, ...], source: str) -> int | None:
    """The line of a key, or of its table where the key is missing; None where it is written in another style."""
    lines = source.splitlines()
    start = 0
    if len(where) > 1 and where[0] == "checks" and isinstance(where[1], int):
        tables = [number for number, line in enumerate(lines) if re.match(r"\s*\[\[\s*checks\s*\]\]", line)]
        if where[1] >= len(tables):
            return None
        start = tables[where[1]]
    name = next((part for part in reversed(where) if isinstance(part, str)), None)
    if name is None:
        return None
    for number, line in enumerate(lines[start:], start + 1):
        if re.match(rf"""\s*["']?{re.escape(name)}["']?\s*=""", line):
            return number
        if start and number > start + 1 and line.lstrip().startswith("["):
            break
    return start + 1 if start else None


def _meaning(where: tuple[int | str, ...]) -> str:
    """What is allowed for the key at a location, from the type itself."""
    names = [part for part in where if isinstance(part, str)]
    if not names:
        return ""
    fields: dict[str, Any] = dict(CheckSpec.model_fields if names[0] == "checks" and len(names) > 1 else {})
    field = fields.get(names[-1]) or RecipeFile.model_fields.get(names[0])
    hint = _HINTS.get(names[-1], "")
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
}

_HINTS = {
    "packages": "A package is named in lower case letters, digits, plus, dot and dash, such as `libpq-dev`.",
    "tests": "A glob is relative to the repository and has no `..` and at most eight stars, such as `tests/**`.",
    "setup_inputs": "A glob is relative to the repository and has no `..` and at most eight stars, such as `uv.lock`.",
    "checks": "Each check is a [[checks]] table with a name and a command.",
}
