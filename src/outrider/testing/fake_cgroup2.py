"""Control groups of version 2 as folders of plain files that keep the kernel's rules: which files a group has, that
controllers are handed down only by a group without processes of its own, and what may be removed.

Written after the kernel's `cgroup-v2.rst`; on this project's machines no real tree offers the controllers.
"""

import errno
from pathlib import Path, PosixPath
from typing import Any

FILES = {
    "memory": {"memory.max": "max", "memory.swap.max": "max", "memory.events": "oom 0\noom_kill 0\n"},
    "pids": {"pids.max": "max"},
    "cpu": {"cpu.max": "max 100000", "cpu.weight": "100"},
}


class Cgroup2(PosixPath):
    """A path in the tree. Every path made from it is one too."""

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """A new group, with what its parent hands down."""
        del parents
        if exist_ok and self.is_dir():
            return
        super().mkdir(mode)
        handed = (self.parent / "cgroup.subtree_control").read_text().split()
        _fill(self, handed)

    def rmdir(self) -> None:
        """Only an empty group goes."""
        below = [path for path in self.iterdir() if path.is_dir()]
        if below or (self / "cgroup.procs").read_text().split():
            raise OSError(errno.EBUSY, "Device or resource busy")
        for path in self.iterdir():
            path.unlink()
        super().rmdir()

    def write_text(self, data: str, *args: Any, **more: Any) -> int:
        """What the kernel lets be written."""
        if not self.exists():
            raise PermissionError(errno.EPERM, "Operation not permitted")
        if self.name == "cgroup.subtree_control":
            self._hand_down(data.split())
        elif self.name == "cgroup.procs":
            self._take(data.strip())
        else:
            Path(self).write_bytes(data.encode())
        return len(data)

    def _hand_down(self, words: list[str]) -> None:
        offered = (self.parent / "cgroup.controllers").read_text().split()
        names = [word.removeprefix("+") for word in words]
        if not set(names) <= set(offered):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        if (self.parent / "cgroup.procs").read_text().split():
            raise OSError(errno.EBUSY, "Device or resource busy")
        Path(self).write_bytes(" ".join(sorted({*self.read_text().split(), *names})).encode())
        for group in self.parent.iterdir():
            if group.is_dir():
                _fill(group, names)

    def _take(self, pid: str) -> None:
        """A process moves here, from wherever in the tree it was."""
        if (self.parent / "cgroup.subtree_control").read_text().split():
            raise OSError(errno.EBUSY, "Device or resource busy")
        root = next(path for path in self.parents if (path / ".root").exists())
        for procs in root.rglob("cgroup.procs"):
            kept = [line for line in procs.read_text().split() if line != pid]
            Path(procs).write_bytes("".join(f"{line}\n" for line in kept).encode())
        Path(self).write_bytes(f"{self.read_text()}{pid}\n".encode())


def make_tree(folder: Path, controllers: str) -> Cgroup2:
    """The mount point of a tree that offers these controllers."""
    root = Cgroup2(folder)
    (folder / ".root").touch()
    Path(folder, "cgroup.controllers").write_bytes(controllers.encode())
    Path(folder, "cgroup.subtree_control").write_bytes(controllers.encode())
    Path(folder, "cgroup.procs").touch()
    return root


def _fill(group: Path, controllers: list[str]) -> None:
    files = {"cgroup.procs": "", "cgroup.controllers": " ".join(controllers), "cgroup.subtree_control": ""}
    for name in controllers:
        files |= FILES.get(name, {})
    for name, text in files.items():
        file = Path(group, name)
        if not file.exists() or name == "cgroup.controllers":
            file.write_bytes(text.encode())
