"""The steps of scripts/setup.py: what they look at, and what they say where they may not go on."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "scripts"
sys.path.insert(0, str(SCRIPTS))

from setup_steps import debian, environment, step  # noqa: E402 -- the scripts are no package of ours


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "STATE", tmp_path / "state")
    monkeypatch.setattr(step, "LOG", tmp_path / "state" / "setup.log")
    monkeypatch.setattr(step, "ROOT", tmp_path)


@pytest.fixture
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither root nor sudo."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", str(tmp_path))


def carried_out(capsys: pytest.CaptureFixture[str], missing: str) -> tuple[list[str], str]:
    done: list[str] = []
    step.carry_out(
        step.Step("Ovens", "Bread is baked in them.", "A day.", lambda: missing, lambda: done.append("baked"))
    )
    return done, capsys.readouterr().out


def test_a_step_with_nothing_to_do_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert carried_out(capsys, "") == ([], "")


def test_a_step_says_what_why_and_how_long(capsys: pytest.CaptureFixture[str]) -> None:
    done, said = carried_out(capsys, "two")
    assert done == ["baked"]
    assert said.startswith("==> Ovens: two\n    Bread is baked in them. A day.\n    done in ")


def test_a_command_that_fails_shows_its_end_and_where_the_rest_is() -> None:
    with pytest.raises(step.SetupError) as caught:
        step.run([sys.executable, "-c", "print('no such package'); raise SystemExit(3)"], cwd=Path("/"))
    assert "    no such package\n" in str(caught.value)
    assert str(step.LOG) in str(caught.value)
    assert "no such package" in step.LOG.read_text()


def test_a_stamp_holds_for_one_content(tmp_path: Path) -> None:
    lock = tmp_path / "uv.lock"
    lock.write_text("one")
    step.put_stamp("packages", step.digest([lock]))
    assert step.stamped("packages", step.digest([lock]))
    lock.write_text("two")
    assert not step.stamped("packages", step.digest([lock]))
    assert not step.stamped("never", "")


@pytest.mark.usefixtures("nobody")
def test_as_neither_root_nor_sudo_the_line_to_run_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian.shutil, "which", lambda name, path=None: name if name == "apt-get" else None)
    with pytest.raises(step.SetupError) as caught:
        debian.packages(tests=False).do()
    line = "sudo apt-get update && sudo apt-get install -y -q --no-install-recommends git bubblewrap uidmap mmdebstrap"
    assert f"\n  {line}" in str(caught.value)


@pytest.mark.usefixtures("nobody")
def test_another_system_is_told_which_packages() -> None:
    with pytest.raises(step.SetupError, match=r"This is not a Debian.*git bubblewrap uidmap mmdebstrap"):
        debian.packages(tests=False).do()


def test_the_browser_is_for_the_tests_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian.shutil, "which", lambda name, path=None: None)
    assert "chromium" not in debian.packages(tests=False).missing()
    assert "chromium" in debian.packages(tests=True).missing()


@pytest.mark.parametrize(
    ("rows", "has"),
    [
        ("ada:100000:65536\n", True),
        ("1000:100000:65536\n", True),
        ("ada:100000:1000\n", False),
        ("bob:100000:65536\n", False),
        ("# ada\n\n", False),
    ],
)
def test_who_has_subordinate_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: str, *, has: bool) -> None:
    monkeypatch.setattr(debian.getpass, "getuser", lambda: "ada")
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    table = tmp_path / "subuid"
    table.write_text(rows)
    assert debian.has_range(table) is has
    assert not debian.has_range(tmp_path / "missing")


def test_new_ids_come_after_everybody_elses(tmp_path: Path) -> None:
    table = tmp_path / "subuid"
    table.write_text("bob:100000:65536\neve:300000:65536\nodd line\n")
    assert debian.first_free_id(table, tmp_path / "missing") == 365_536
    assert debian.first_free_id(tmp_path / "missing") == 100_000


def test_pips_settings_are_told_to_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip = tmp_path / "pip"
    pip.write_text(
        "#!/bin/sh\n"
        "echo \":env:.index-url='https://env.example/simple'\"\n"
        "echo \"global.cert='/etc/ssl/ours.pem'\"\n"
        "echo \"global.index-url='https://file.example/simple'\"\n"
    )
    pip.chmod(0o755)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to(pip)
    monkeypatch.setattr(environment, "TOOLS", tmp_path)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    assert environment.index_settings() == {
        "UV_DEFAULT_INDEX": "https://env.example/simple",
        "SSL_CERT_FILE": "/etc/ssl/ours.pem",
    }
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://uv.example/simple")
    assert "UV_DEFAULT_INDEX" not in environment.index_settings()


def test_make_prints_its_targets_by_itself() -> None:
    shown = subprocess.run(["make"], cwd=SCRIPTS.parent, capture_output=True, text=True, check=True).stdout
    named = re.findall(r"^make (\w+) ", shown, re.M)
    assert named == ["help", "demo", "up", "test", "check", "fmt", "e2e", "faults", "stacks", "bench", "build", "clean"]
