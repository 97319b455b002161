"""The wheel holds everything that the sources hold, and the web page: it is installed without node."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "src/outrider/api/static"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("outrider-*.whl"))


def test_nothing_of_the_sources_and_of_the_page_is_missing(wheel: Path):
    listed = subprocess.run(("git", "ls-files", "src"), cwd=ROOT, check=True, capture_output=True, text=True).stdout
    sources = {line.removeprefix("src/") for line in listed.splitlines() if (ROOT / line).exists()}
    page = {str(path.relative_to(ROOT / "src")) for path in PAGE.rglob("*") if path.is_file()}
    assert "outrider/api/static/index.html" in page
    assert sources | page <= set(zipfile.ZipFile(wheel).namelist())


def test_what_is_installed_from_it_runs_without_the_sources(wheel: Path, tmp_path: Path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    said = _python(tmp_path, "-c", "import outrider; print(outrider.__file__)")
    assert said.startswith(str(tmp_path / "installed"))
    assert "Usage: outrider" in _python(tmp_path, "-m", "outrider.cli", "--help")


def _python(folder: Path, *words: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(folder / "installed"), "COLUMNS": "80"}
    done = subprocess.run(
        (sys.executable, *words), cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout
