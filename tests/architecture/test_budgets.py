"""Sizes that keep the code readable: a function fits half a screen, a file three."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

FUNCTION_LINES = 40
FILE_LINES = 400
TEST_FILE_LINES = 600
CLASS_METHODS = 15
CLASS_ATTRIBUTES = 10

MORE_ATTRIBUTES = {
    "SessionWorld": "everything that a session reaches, held open to the tests that look at it",
}
"""Classes that may hold more, each with the reason. Records (dataclasses, models) are what they list."""

BANNED_NAMES = {"utils", "helpers", "common", "core", "manager", "service"}


Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Defined:
    """A function, or a class with how many methods it has and what these set on `self`."""

    is_class: bool
    name: str
    where: str
    lines: int
    methods: int
    held: tuple[str, ...]


@pytest.fixture(scope="module")
def defined() -> list[Defined]:
    """All that the sources define, read once; the trees themselves are too much to keep."""
    return [one for path in SOURCES for one in _definitions(path)]


def _definitions(path: Path) -> Iterator[Defined]:
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, Function | ast.ClassDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            methods = sum(isinstance(item, Function) for item in node.body)
            is_class = isinstance(node, ast.ClassDef)
            held = _attributes(node) if is_class else set()
            yield Defined(is_class, node.name, f"{_name(path)}:{node.lineno}", lines, methods, tuple(sorted(held)))


def _attributes(of: ast.AST) -> set[str]:
    """What its methods set on `self`."""
    return {
        node.attr
        for node in ast.walk(of)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_functions_are_short(defined: list[Defined]) -> None:
    assert not [one for one in defined if not one.is_class and one.lines > FUNCTION_LINES]


@pytest.mark.parametrize(("files", "limit"), [(SOURCES, FILE_LINES), (TESTS, TEST_FILE_LINES)], ids=["src", "tests"])
def test_files_are_short(files: list[Path], limit: int) -> None:
    long = {_name(path): lines for path in files if (lines := len(path.read_text().splitlines())) > limit}
    assert not long


def test_classes_have_few_methods(defined: list[Defined]) -> None:
    assert not [one for one in defined if one.is_class and one.methods > CLASS_METHODS]


def test_classes_hold_few_attributes(defined: list[Defined]) -> None:
    big = {one.name: one.held for one in defined if one.is_class and len(one.held) > CLASS_ATTRIBUTES}
    assert big.keys() == MORE_ATTRIBUTES.keys(), big


def test_names_say_something() -> None:
    vague = [_name(path) for path in SOURCES if BANNED_NAMES & {path.stem, *path.parent.parts}]
    assert not vague
