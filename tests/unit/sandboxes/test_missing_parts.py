"""What a person is told when a part of the machine is missing."""

import errno
from pathlib import Path

import pytest

from outrider.model.errors import SandboxError
from outrider.sandboxes.namespaces.ids import HostIds
from outrider.sandboxes.namespaces.mapped_call import explain, require_programs

ROOT = HostIds(1 << 30, 1 << 30)
PERSON = HostIds(100_000, 100_000, tools=True)


def install(folder: Path, *names: str) -> str:
    for name in names:
        (folder / name).touch(0o755)
    return str(folder)


def test_without_bubblewrap(tmp_path: Path) -> None:
    with pytest.raises(SandboxError) as caught:
        require_programs(ROOT, install(tmp_path))
    assert caught.value.remedy == "Run: sudo apt-get install -y bubblewrap"


def test_a_person_needs_the_map_tools_and_root_does_not(tmp_path: Path) -> None:
    path = install(tmp_path, "bwrap")
    assert require_programs(ROOT, path) == str(tmp_path / "bwrap")
    with pytest.raises(SandboxError) as caught:
        require_programs(PERSON, path)
    assert caught.value.remedy == "Run: sudo apt-get install -y uidmap"


@pytest.mark.parametrize(
    ("step", "number", "detail", "sentence", "remedy"),
    [
        ("unpack", 0, "tar: x: Cannot write: No space left on device", "The disk is full.", "Free some space"),
        ("work", errno.ENOSPC, "No space left on device", "The disk is full.", "Free some space"),
        ("user namespace", errno.EPERM, "Operation not permitted", "does not allow user namespaces", "sysctl"),
        ("newuidmap", 0, "newuidmap: uid range [0-1) -> [1-2) not allowed", "user ids was refused", "/etc/subuid"),
        ("user namespace", errno.ENOSPC, "No space left on device", "does not allow user namespaces", "sysctl"),
        ("bwrap", 0, "bwrap: No permissions to create new namespace", "does not allow user namespaces", "AppArmor"),
        ("bwrap", 0, "max_*_namespaces exceeded (ENOSPC)", "does not allow user namespaces", "max_user_namespaces"),
        ("overlay", errno.EINVAL, "Invalid argument", "cannot carry an overlay", "ext4"),
    ],
)  # fmt: skip
def test_failures_are_sentences_with_a_remedy(step: str, number: int, detail: str, sentence: str, remedy: str) -> None:
    error = explain(step, number, detail)
    assert sentence in error.sentence
    assert error.sentence.endswith(".")
    assert remedy in error.remedy
