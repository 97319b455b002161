"""Who the person at the terminal is, and what of their checkout is not taken. Real git, a home of its own."""

import subprocess
from pathlib import Path

import pytest

from outrider.app.author import find_author, introduce
from outrider.cli.checkout import Checkout


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


@pytest.fixture(autouse=True)
def _fresh_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / ".config"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("LOGNAME", "ada")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "a.py").write_text("1\n")
    git(folder, "add", "a.py")
    git(folder, "-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "First")
    return folder


def test_git_knows_the_person(checkout: Path) -> None:
    git(checkout, "config", "user.name", "Ada Mensah")
    git(checkout, "config", "user.email", "ada@example.org")
    identity = find_author(checkout)
    assert (identity.person.name, identity.person.email) == ("Ada Mensah", "ada@example.org")
    assert introduce(identity, checkout) == ""


def test_else_the_machine_does_and_says_so_once(tmp_path: Path) -> None:
    identity = find_author()
    assert (identity.person.name, identity.person.email) == ("ada", "ada@localhost")
    home = tmp_path / "outrider"
    sentence = introduce(identity, home)
    assert "ada <ada@localhost>" in sentence
    assert "git config --global user.name" in sentence
    assert introduce(identity, home) == ""


def test_half_a_name_is_none(checkout: Path) -> None:
    git(checkout, "config", "user.name", "Ada Mensah")
    assert find_author(checkout).person.name == "ada"


def test_a_path_becomes_absolute_and_a_url_stays(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout)
    assert Checkout.parse(".") == Checkout(str(checkout), checkout)
    assert Checkout.parse("https://example.org/shop.git") == Checkout("https://example.org/shop.git", None)


def test_uncommitted_changes_are_named(checkout: Path) -> None:
    assert Checkout.parse(str(checkout)).left_out() == ""
    for number in range(7):
        (checkout / f"new{number}.py").write_text("2\n")
    (checkout / "a.py").write_text("2\n")
    sentence = Checkout.parse(str(checkout)).left_out()
    assert "a.py, new0.py, new1.py, new2.py, new3.py and 3 more" in sentence


def test_looking_touches_and_runs_nothing(checkout: Path) -> None:
    ran = checkout.parent / "ran"
    git(checkout, "config", "core.fsmonitor", f"touch {ran}")
    index = (checkout / ".git" / "index").read_bytes()
    (checkout / "a.py").touch()
    assert Checkout.parse(str(checkout)).left_out() == ""
    assert not ran.exists()
    assert (checkout / ".git" / "index").read_bytes() == index


def test_a_folder_without_git_has_nothing_to_leave_out(tmp_path: Path) -> None:
    assert Checkout.parse(str(tmp_path)).left_out() == ""
