"""Sizes that keep the code readable: a function fits half a screen, a file three."""

import ast
from collections.abc import Iterator
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


def _nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(), str(path)))


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_functions_are_short() -> None:
    long = [
        f"{_name(path)}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for path in SOURCES
        for node in _nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    ]
    assert not long


@pytest.mark.parametrize(("files", "limit"), [(SOURCES, FILE_LINES), (TESTS, TEST_FILE_LINES)], ids=["src", "tests"])
def test_files_are_short(files: list[Path], limit: int) -> None:
    long = {_name(path): lines for path in files if (lines := len(path.read_text().splitlines())) > limit}
    assert not long


def test_classes_have_few_methods() -> None:
    big = [
        f"{_name(path)}:{node.lineno} {node.name}"
        for path in SOURCES
        for node in _nodes(path)
        if isinstance(node, ast.ClassDef)
        and sum(isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) for item in node.body) > CLASS_METHODS
    ]
    assert not big


def test_classes_hold_few_attributes() -> None:
    big = {
        node.name: sorted(held)
        for path in SOURCES
        for node in _nodes(path)
        if isinstance(node, ast.ClassDef) and len(held := _attributes(node)) > CLASS_ATTRIBUTES
    }
    assert big.keys() == MORE_ATTRIBUTES.keys(), big


def _attributes(of: ast.ClassDef) -> set[str]:
    """What its methods set on `self`."""
    return {
        node.attr
        for node in ast.walk(of)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


def test_names_say_something() -> None:
    vague = [_name(path) for path in SOURCES if BANNED_NAMES & {path.stem, *path.parent.parts}]
    assert not vague
