"""What a sandbox of the `namespaces` provider leaves on the machine."""

import contextlib
from pathlib import Path

from outrider.model.ids import SandboxId

EXITING = 0x4
"""PF_EXITING of Linux, among the flags of a process."""


def remains(state: Path, sandbox: SandboxId) -> list[str]:
    """All that still knows the sandbox: processes that have one of its folders mounted, mounts, groups, files. `state`
    is the provider's folder."""
    found = []
    for table in Path("/proc").glob("[0-9]*/mountinfo"):
        with contextlib.suppress(OSError):
            lines = [f"{table}: {line}" for line in table.read_text().splitlines() if sandbox in line]
            found += [] if lines and _ends(table.with_name("stat")) else lines
    for group in Path("/sys/fs/cgroup").glob(f"**/*{sandbox}*"):
        found.append(str(group))
    folders = ("sandboxes", "guest/boxes", "guest/trash", "unsynced/*")
    return found + [str(path) for folder in folders for path in state.glob(f"{folder}/*{sandbox}*")]


def _ends(stat: Path) -> bool:
    """Whether a process is about to be gone: it gives back its locks, for which others wait, a moment before its
    mounts."""
    state, _, _, _, _, _, flags, *_ = stat.read_text().rpartition(")")[2].split()
    return state in "ZX" or bool(int(flags) & EXITING)
