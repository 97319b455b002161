"""What a sandbox of the `namespaces` provider leaves on the machine."""

import contextlib
from pathlib import Path

from outrider.model.ids import SandboxId


def remains(state: Path, sandbox: SandboxId) -> list[str]:
    """All that still knows the sandbox: processes that have one of its folders mounted, mounts, groups, files. `state`
    is the provider's folder."""
    found = []
    for table in Path("/proc").glob("[0-9]*/mountinfo"):
        with contextlib.suppress(OSError):
            found += [f"{table}: {line}" for line in table.read_text().splitlines() if sandbox in line]
    for group in Path("/sys/fs/cgroup").glob(f"**/*{sandbox}*"):
        found.append(str(group))
    folders = ("sandboxes", "guest/boxes", "guest/trash", "unsynced/*")
    return found + [str(path) for folder in folders for path in state.glob(f"{folder}/*{sandbox}*")]
