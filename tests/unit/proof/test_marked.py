"""Changed files that say how checks run."""

import pytest

from outrider.proof.marked import is_marked, runs_differently
from outrider.proof.recipe import CheckSpec, Recipe

RECIPE = Recipe(
    source="outrider.toml",
    setup=("sh ./scripts/setup.sh",),
    checks=(CheckSpec(name="a", command="make lint && scripts/check.py --all"),),
)


@pytest.mark.parametrize(
    ("path", "marked"),
    [
        ("outrider.toml", True),
        (".github/workflows/ci.yml", True),
        (".ci/run", True),
        ("tests/conftest.py", True),
        ("conftest.py", True),
        ("scripts/setup.sh", True),
        ("scripts/check.py", True),
        ("scripts/other.py", False),
        ("Makefile", True),
        ("sub/Makefile", True),
        ("justfile", False),
        ("src/outrider.toml", False),
        ("web/vitest.config.ts", True),
        ("tests/test_a.py", False),
    ],
)
def test_these_are_marked(path: str, marked: bool) -> None:
    assert is_marked(path, RECIPE) is marked


@pytest.mark.parametrize(
    ("name", "base", "head", "differs"),
    [
        ("package.json", b'{"version": "1", "scripts": {}}', b'{"version": "2", "scripts": {}}', False),
        ("package.json", b'{"scripts": {"test": "a"}}', b'{"scripts": {"test": "true"}}', True),
        ("package.json", b'{"scripts": {}}', b"{", True),
        ("package.json", None, b'{"scripts": {}}', True),
        ("pyproject.toml", b'[project]\nversion = "1"', b'[project]\nversion = "2"', False),
        ("pyproject.toml", b"", b'[tool.pytest.ini_options]\naddopts = "-k nothing"', True),
        ("pyproject.toml", b"", b"\xff", True),
        ("pyproject.toml", b"", b"tool = 3", True),
    ],
)  # fmt: skip
def test_manifests_are_marked_where_what_runs_tests_differs(
    name: str, base: bytes | None, head: bytes, differs: bool
) -> None:
    assert runs_differently(name, base, head) is differs
