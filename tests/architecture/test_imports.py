"""The dependency rule of ARCHITECTURE.md, held by import-linter."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("provider", ["docker", "microsandbox"])
def test_a_provider_can_be_deleted_with_its_lines_in_one_file(provider: str) -> None:
    sources = (path for path in (ROOT / "src").rglob("*.py") if provider not in path.relative_to(ROOT).parts)
    naming = [path.name for path in sources if f"outrider.sandboxes.{provider}" in path.read_text()]
    assert naming == ["providers.py"]
