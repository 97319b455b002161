"""The recipe of a repository: what it needs, how it is set up and how it is checked. Read from `outrider.toml`.

    packages = ["postgresql"]
    setup = ["python3 -m venv .venv", ".venv/bin/pip install -e .[test]"]

    [[checks]]
    name = "tests"
    command = ".venv/bin/pytest --junitxml=$OUTRIDER_JUNIT"

What is examined does not set the exam: the recipe that judges a change is always that of the base commit.
"""

import tomllib
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, model_validator

from outrider.fleet.images.stacks import stack_environment, stack_services
from outrider.model.base import Model
from outrider.model.egress import EgressSpec
from outrider.model.errors import RecipeError
from outrider.model.image import BuildStep, MachineWants
from outrider.model.sandbox import LimitCaps
from outrider.model.services import Beside, PreviewSpec, ServiceSpec, ShellCommand
from outrider.proof.globs import fixed_folder
from outrider.proof.recipe_errors import RECIPE_FILE as RECIPE_FILE
from outrider.proof.recipe_errors import recipe_error

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


def _not_ours(name: str) -> str:
    """A name of a variable that is not one of Outrider's own. Raises ValueError."""
    if name.startswith("OUTRIDER_"):
        raise ValueError(f"{name} is Outrider's own")
    return name


Stack = Literal["postgres", "redis", "desktop", "ide"]
ImageReference = Annotated[
    str, StringConstraints(max_length=255, pattern=r"^[a-z0-9][A-Za-z0-9._-]*([/:@][A-Za-z0-9._-]+)*$")
]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$"), AfterValidator(_not_ours)]
VariableValue = Annotated[str, StringConstraints(max_length=32_768, pattern=r"^[^\x00]*$")]
PackageName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9+.-]{1,99}$")]


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

    image: ImageReference | None = Field(
        default=None, description="An OCI image to start from, such as `docker.io/library/python:3.12-bookworm`"
    )
    devcontainer: Glob | None = Field(default=None, description="A devcontainer.json of the repository to begin with")
    dockerfile: Glob | None = Field(default=None, description="A Dockerfile of the repository to make the image by")
    compose: Glob | None = Field(
        default=None, description="A compose file of the repository whose databases are wanted"
    )
    stacks: tuple[Stack, ...] = Field(
        default=(), max_length=4, description="Ready-made parts of the image, each with its service"
    )
    packages: tuple[PackageName, ...] = Field(
        default=(), max_length=200, description="Debian packages, installed into the image as root"
    )
    setup: tuple[ShellCommand, ...] = Field(
        default=(),
        max_length=50,
        description="Commands run in order in a fresh checkout, as the guest's user, with egress",
    )
    environment: Mapping[VariableName, VariableValue] = Field(
        default={}, max_length=100, description="What every command of the sandbox finds in its environment"
    )
    setup_timeout_seconds: float = Field(default=1800, gt=0, le=6 * 3600, description="For all setup commands together")
    setup_inputs: tuple[Glob, ...] | None = Field(
        default=None,
        max_length=50,
        description="Globs of the only files that setup depends on. Where none of them changed, a finished setup is "
        "used again. Without it every commit is set up anew",
    )
    start: tuple[ShellCommand, ...] = Field(
        default=(),
        max_length=20,
        description="Commands run in order each time a sandbox starts, after the services, as the guest's user",
    )
    start_timeout_seconds: float = Field(default=120, gt=0, le=3600, description="For all start commands together")
    services: tuple[ServiceSpec, ...] = Field(default=(), max_length=20)
    preview: tuple[PreviewSpec, ...] = Field(default=(), max_length=20)
    egress: EgressSpec = EgressSpec()
    limits: LimitCaps = LimitCaps()
    warm: int | None = Field(
        default=None, ge=0, le=20, description="How many warm sandboxes are kept; without it, by demand"
    )
    checks: tuple[CheckSpec, ...] = Field(default=(), max_length=20)
    tests: tuple[Glob, ...] = Field(
        default=DEFAULT_TESTS,
        max_length=50,
        description="Globs of test files: those of the change are laid over the base to see them fail there",
    )

    @model_validator(mode="after")
    def _names_are_unique(self) -> "RecipeFile":
        for what, specs in (("checks", self.checks), ("services", self.services), ("previews", self.preview)):
            name = _doubled([spec.name for spec in specs])
            if name is not None:
                raise ValueError(f"two {what} are named “{name}”; each needs a name of its own")
        port = _doubled([spec.port for spec in self.services if spec.port is not None])
        if port is not None:
            raise ValueError(f"two services have port {port}; each needs a port of its own")
        if self.image and (self.dockerfile or self.devcontainer):
            raise ValueError("`image` cannot be beside `dockerfile` or `devcontainer`: each of them names an image")
        if stack := _doubled(self.stacks):
            raise ValueError(f"the stack “{stack}” is named twice")
        return self


T = TypeVar("T")


def _doubled(values: Sequence[T]) -> T | None:
    """The first value that is there twice."""
    return next((value for value in values if values.count(value) > 1), None)


class Recipe(RecipeFile):
    """A recipe and where it comes from."""

    source: str = Field(max_length=200, description="outrider.toml, what it was detected from, or empty")
    notice: str = Field(default="", max_length=1000, description="What a person should know about it, in a sentence")

    steps: tuple[BuildStep, ...] = Field(default=(), max_length=60, description="What is run as root for the image")
    found: bool = Field(default=False, description="Whether nobody named the image: it was only found")

    def wants(self) -> MachineWants:
        """What it wants of the machine image."""
        return MachineWants(
            base=self.image, packages=self.packages, stacks=self.stacks, steps=self.steps, or_ours=self.found
        )

    def beside(self, repository: str) -> Beside:
        """What runs beside the work on a repository of this name."""
        return Beside(
            stack_services=stack_services(self.stacks, self.services),
            services=self.services,
            start=self.start,
            start_timeout_seconds=self.start_timeout_seconds,
            environment={**stack_environment(self.stacks, repository), **self.environment},
        )


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
        raise recipe_error(error.errors(include_url=False)[0], source, RecipeFile) from error
    return Recipe(**dict(file), source=RECIPE_FILE, notice="" if file.checks else f"{RECIPE_FILE} names no checks.")
