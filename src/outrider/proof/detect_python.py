"""Python: pytest, in a virtual environment made by what the lock file belongs to."""

import re
import shlex
import tomllib
from typing import Any

from outrider.proof.found import Found
from outrider.proof.recipe import CheckSpec

_TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test)\.py$")
_TEST_EXTRAS = ("test", "tests", "testing", "dev")
_PURE_BACKENDS = ("setuptools", "hatchling", "flit_core", "poetry.core", "uv_build", "pdm.backend")
_INPUTS = ("**/pyproject.toml", "**/setup.cfg", "uv.lock", "poetry.lock", "requirements*.txt")
_COMMAND = '.venv/bin/python -m pytest --continue-on-collection-errors --junitxml="$OUTRIDER_JUNIT"'


def detect_python(paths: frozenset[str], pyproject: bytes) -> Found | None:
    """How a Python project is checked; None where it has no tests or its pyproject.toml cannot be read."""
    try:
        project = tomllib.loads(pyproject.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
    if "pytest" not in _table(project, "tool") and not any(_TEST_FILE.search(path) for path in paths):
        return None
    setup, read_from = _setup(paths, project)
    if not re.search(rb"""["']?pytest\b""", pyproject):
        setup = (*setup, _ADD_PYTEST[read_from])
    return Found(
        source=read_from if read_from == "pyproject.toml" else f"pyproject.toml with {read_from}",
        check=CheckSpec(name="pytest", command=_COMMAND),
        setup=setup,
        setup_inputs=_INPUTS if _is_pure(paths, project) else None,
        packages=("python3-venv",),
    )


_ADD_PYTEST = {
    "uv.lock": '"$HOME/.uv/bin/uv" pip install --quiet pytest',
    "poetry.lock": ".venv/bin/pip install --quiet pytest",
    "pyproject.toml": ".venv/bin/pip install --quiet pytest",
}


def _setup(paths: frozenset[str], project: dict[str, Any]) -> tuple[tuple[str, ...], str]:
    """The commands, and the file that they follow."""
    if "uv.lock" in paths:
        extras = "".join(f" --extra {shlex.quote(name)}" for name in _test_names(_extras(project)))
        groups = "".join(f" --group {shlex.quote(name)}" for name in _test_names(_table(project, "dependency-groups")))
        tool = 'python3 -m venv "$HOME/.uv" && "$HOME/.uv/bin/pip" install --quiet uv'
        return (tool, f'"$HOME/.uv/bin/uv" sync --frozen{extras}{groups}'), "uv.lock"
    if "poetry.lock" in paths:
        tool = 'python3 -m venv "$HOME/.poetry" && "$HOME/.poetry/bin/pip" install --quiet poetry'
        install = 'POETRY_VIRTUALENVS_IN_PROJECT=true "$HOME/.poetry/bin/poetry" install --no-interaction'
        return (tool, install), "poetry.lock"
    return _pip_setup(paths, project), "pyproject.toml"


def _pip_setup(paths: frozenset[str], project: dict[str, Any]) -> tuple[str, ...]:
    lines = ["python3 -m venv .venv"]
    wanted = []
    if "project" in project or "build-system" in project:
        extras = ",".join(_test_names(_extras(project)))
        wanted.append("-e " + shlex.quote(f".[{extras}]" if extras else "."))
    wanted += [f"-r {name}" for name in ("requirements.txt", "requirements-dev.txt") if name in paths]
    groups = _test_names(_table(project, "dependency-groups"))
    if groups:
        lines.append(".venv/bin/pip install --quiet --upgrade pip")  # --group came with pip 25.1
        wanted += [f"--group {shlex.quote(name)}" for name in groups]
    if wanted:
        lines.append(".venv/bin/pip install --quiet " + " ".join(wanted))
    return tuple(lines)


def _is_pure(paths: frozenset[str], project: dict[str, Any]) -> bool:
    """Whether an editable install takes nothing from the sources, so that it serves other commits as well."""
    backend = str(_table(project, "build-system").get("build-backend", "setuptools"))
    tools = _table(project, "tool")
    hooks = "hooks" in _table(_table(tools, "hatch"), "build") or "build" in _table(tools, "poetry")
    return backend.startswith(_PURE_BACKENDS) and "setup.py" not in paths and not hooks


def _extras(project: dict[str, Any]) -> dict[str, Any]:
    return _table(_table(project, "project"), "optional-dependencies")


def _test_names(names: dict[str, Any]) -> list[str]:
    return [name for name in _TEST_EXTRAS if name in names]


def _table(parent: dict[str, Any], key: str) -> dict[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}
