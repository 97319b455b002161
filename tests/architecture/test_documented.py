"""What is a contract is documented: ports, events, frames, settings."""

import ast
import runpy
import sys
from pathlib import Path

import pytest

from outrider.settings import Settings

ROOT = Path(__file__).parents[2]
PORTS = sorted((ROOT / "src/outrider/ports").glob("*.py"))
MODEL = sorted((ROOT / "src/outrider/model").glob("*.py"))


def _undocumented(path: Path, *, methods: bool) -> list[str]:
    missing = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ClassDef):
            continue
        if not ast.get_docstring(node):
            missing.append(f"{path.name}: {node.name}")
        missing += [
            f"{path.name}: {node.name}.{item.name}"
            for item in node.body
            if methods
            and isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
            and not item.name.startswith("_")
            and not ast.get_docstring(item)
        ]
    return missing


def test_every_port_says_what_it_promises() -> None:
    assert not [line for path in PORTS for line in _undocumented(path, methods=True)]


def test_every_word_of_the_model_is_explained() -> None:
    assert not [line for path in MODEL for line in _undocumented(path, methods=False)]


def test_every_setting_is_in_the_reference() -> None:
    page = (ROOT / "docs/reference/settings.md").read_text()
    assert not [name for name in Settings.environment_names() if f"`{name}`" not in page]


def test_the_generated_reference_is_fresh(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    script = str(ROOT / "scripts/generate_reference.py")
    monkeypatch.setattr(sys, "argv", [script, "--check"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(script, run_name="__main__")
    assert end.value.code == 0, capsys.readouterr().err
