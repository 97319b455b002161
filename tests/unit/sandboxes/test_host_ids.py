"""Which host ids stand behind a guest."""

import os
import pwd
from pathlib import Path

import pytest

from outrider.model.errors import SandboxError
from outrider.sandboxes.namespaces.ids import ROOT_RANGE_START, HostIds, find_host_ids


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> str:
    """We are the user `daemon`."""
    entry = pwd.getpwnam("daemon")
    monkeypatch.setattr(os, "geteuid", lambda: entry.pw_uid)
    return entry.pw_name


def test_root_uses_a_reserved_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert find_host_ids(Path("/none"), Path("/none")) == HostIds(ROOT_RANGE_START, ROOT_RANGE_START)


def test_a_person_uses_the_first_range_that_is_large_enough(plain: str, tmp_path: Path) -> None:
    uids, gids = tmp_path / "subuid", tmp_path / "subgid"
    uids.write_text(f"other:100000:65536\n{plain}:5:10\nnonsense\n{plain}:200000:65536\n{plain}:900000:65536\n")
    gids.write_text(f"{pwd.getpwnam(plain).pw_uid}:300000:70000\n")
    assert find_host_ids(uids, gids) == HostIds(200_000, 300_000, tools=True)


def test_without_a_range_the_line_to_run_is_said(plain: str, tmp_path: Path) -> None:
    with pytest.raises(SandboxError) as caught:
        find_host_ids(tmp_path / "none", tmp_path / "none")
    assert plain in caught.value.sentence
    assert caught.value.remedy == (f"Run: sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {plain}")
