"""What may not be on the disk yet: its marks, their clearing, and what another boot left."""

from pathlib import Path

import pytest

from outrider.sandboxes.namespaces.unsynced import Mark, Unsynced, boot_id, sync_file_system, sync_finished


@pytest.fixture
def marks(tmp_path: Path) -> Unsynced:
    """Those of the first boot."""
    return Unsynced(tmp_path / "unsynced", "boot-1")


def after_restart(tmp_path: Path) -> Unsynced:
    """The same folder in the machine's next boot."""
    return Unsynced(tmp_path / "unsynced", "boot-2")


def nothing(_folder: Path) -> None:
    """A disk that is quick."""


def test_what_is_not_synced_is_suspect_after_a_restart_and_not_before(marks: Unsynced, tmp_path: Path):
    marks.mark("layer", "snap-one")
    marks.mark("box", "box-one")
    assert (marks.suspects("layer"), marks.suspects("box")) == ({}, {})
    later = after_restart(tmp_path)
    assert later.suspects("layer") == {"snap-one": "boot-1"}
    assert later.suspects("box") == {"box-one": "boot-1"}
    assert later.ours() == []


def test_a_sync_clears_what_is_finished_and_nothing_else(marks: Unsynced, tmp_path: Path):
    for name in ("done", "running"):
        marks.mark("box", name)
    synced: list[Path] = []
    assert sync_finished(marks, tmp_path, lambda mark: mark.name == "done", synced.append) == 1
    assert synced == [tmp_path]
    assert after_restart(tmp_path).suspects("box") == {"running": "boot-1"}
    assert sync_finished(marks, tmp_path, lambda mark: mark.name == "done", synced.append) == 0
    assert synced == [tmp_path]


def test_what_is_written_again_during_the_sync_stays_marked(marks: Unsynced, tmp_path: Path):
    for name in ("again", "started"):
        marks.mark("box", name)
    running: list[str] = []

    def meanwhile(_folder: Path) -> None:
        marks.forget("box", "again")
        marks.mark("box", "other")  # so that no file has the inode of the one before
        marks.mark("box", "again")
        running.append("started")

    assert sync_finished(marks, tmp_path, lambda mark: mark.name not in running, meanwhile) <= 1
    assert after_restart(tmp_path).suspects("box").keys() == {"again", "started", "other"}


def test_a_disk_that_fails_leaves_every_mark(marks: Unsynced, tmp_path: Path):
    marks.mark("layer", "one")

    def broken(_folder: Path) -> None:
        raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        sync_finished(marks, tmp_path, lambda mark: True, broken)
    assert [mark.name for mark in marks.ours()] == ["one"]


def test_what_is_made_anew_or_gone_is_suspect_no_more(marks: Unsynced, tmp_path: Path):
    for name in ("made-again", "gone"):
        marks.mark("layer", name)
    later = after_restart(tmp_path)
    later.mark("layer", "made-again")
    later.forget("layer", "gone")
    assert later.suspects("layer") == {}
    assert not (tmp_path / "unsynced/boot-1").exists()
    sync_finished(later, tmp_path, lambda mark: True, nothing)
    assert later.ours() == []


def test_a_file_that_is_no_mark_is_passed_over(marks: Unsynced, tmp_path: Path):
    marks.mark("box", "one")
    (tmp_path / "unsynced/boot-1/lost+found").touch()
    assert [(mark.kind, mark.name) for mark in marks.ours()] == [("box", "one")]


def test_a_mark_that_was_forgotten_meanwhile_harms_nobody(marks: Unsynced):
    marks.synced(Mark("box", "never", 0, 0))


def test_the_kernel_tells_its_boot_and_syncs(tmp_path: Path):
    assert boot_id() == boot_id() != ""
    sync_file_system(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_file_system(tmp_path / "nowhere")
