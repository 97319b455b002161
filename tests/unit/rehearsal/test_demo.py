"""The demo repository: the same each time, green at its head, and with the bug that its script mends."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from outrider.rehearsal.demo import DEMO_PROMPT, write_demo_repository
from outrider.rehearsal.script import ScriptedCall, built_in_scripts


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(("git", *arguments), cwd=folder, check=True, capture_output=True, text=True).stdout


def run_tests(folder: Path) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly")
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    write_demo_repository(tmp_path / "demo")
    return tmp_path / "demo"


def calls(tool: str) -> list[ScriptedCall]:
    return [call for step in built_in_scripts()[0].steps for call in step.calls if call.tool == tool]


def test_it_is_the_same_each_time(repository: Path, tmp_path: Path) -> None:
    write_demo_repository(tmp_path / "again")
    heads = [git(folder, "rev-parse", "main") for folder in (repository, tmp_path / "again")]
    assert heads[0] == heads[1]


def test_it_has_a_history_and_nothing_uncommitted(repository: Path) -> None:
    authors = git(repository, "log", "--format=%an").splitlines()
    assert len(authors) > 5
    assert len(set(authors)) > 2
    assert git(repository, "status", "--short") == ""
    git(repository, "fsck", "--strict")


def test_one_that_is_there_is_left_as_it_is(repository: Path) -> None:
    (repository / "mine.txt").write_text("work")
    write_demo_repository(repository)
    assert (repository / "mine.txt").read_text() == "work"


def test_it_is_green_at_its_head(repository: Path) -> None:
    assert "17 passed" in run_tests(repository).stdout


def test_the_scripts_edits_fit_and_turn_its_test_from_red_to_green(repository: Path) -> None:
    assert built_in_scripts()[0].prompt == DEMO_PROMPT
    outcomes = []
    for call in calls("edit"):
        file = repository / call.input["filePath"]
        assert file.read_text().count(call.input["oldString"]) == 1
        file.write_text(file.read_text().replace(call.input["oldString"], call.input["newString"]))
        outcomes.append(run_tests(repository).stdout.splitlines()[-1])
    assert ["1 failed, 17 passed" in outcomes[0], "18 passed" in outcomes[1]] == [True, True]


def test_its_checks_are_those_that_the_script_runs(repository: Path) -> None:
    recipe = tomllib.loads((repository / "outrider.toml").read_text())
    assert [check["name"] for check in recipe["checks"]] == ["tests"]
    assert any("python3 -m pytest -q" in call.input["command"] for call in calls("bash"))
