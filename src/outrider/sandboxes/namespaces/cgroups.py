"""Limits by the kernel's control groups, version 1 or 2, where we may write them."""

import contextlib
import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from outrider.model.sandbox import Limits

PERIOD_MICROSECONDS = 100_000
"""The kernel's own default period of CPU quota."""

CONTROLLERS = ("memory", "pids", "cpu")

LEAF = "outrider-server"
"""The group of version 2 that a server moves into, so that those of its sandboxes may have controllers."""

WEIGHTS = {"cpu.shares": (1024, 256), "cpu.weight": (100, 25)}
"""The kernel's own default of each version, and that of what is made in the background."""

FREEZER = "freezer"
"""Where it can be had: version 2 freezes without a controller of its own."""


@dataclass(frozen=True, slots=True)
class Cgroups:
    """The folders below which sandboxes get groups of their own: one for each controller (v1), or one for all (v2)."""

    version: int
    bases: Mapping[str, Path]

    def create(self, name: str, limits: Limits) -> tuple[Path, ...]:
        """Make the groups of one sandbox and write its limits. Returns their folders. Raises OSError."""
        made = []
        for controller, base in self.bases.items():
            group = base / f"outrider-{name}"
            group.mkdir(exist_ok=True)
            made.append(group)
            files = _v1_files(controller, limits) if self.version == 1 else _v2_files(limits)
            for file, value in files.items():
                (group / file).write_text(value)
        return tuple(made)


def find_cgroups(mount: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> Cgroups | None:
    """The groups that we may make, tried by making one; None where there are none."""
    lines = [line.split(":", 2) for line in own.read_text().splitlines()]
    paths = {name: path for _, names, path in lines for name in names.split(",")}
    return _try_v1(mount, paths) or _try_v2(mount, paths)


def remove(groups: tuple[Path, ...]) -> None:
    """Remove the groups of a sandbox whose processes are gone. One that a dying process still holds is left: the next
    start of the provider sweeps it, and nothing is to fail for it now."""
    for group in groups:
        try:
            group.rmdir()
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.EBUSY):
                raise


def weigh(groups: tuple[Path, ...], *, background: bool) -> None:
    """Say how much of the processors a sandbox gets where all of them are wanted: the usual, or a quarter of it."""
    for group in groups:
        for file, (usual, low) in WEIGHTS.items():
            if (group / file).exists():
                (group / file).write_text(str(low if background else usual))


def out_of_memory_kills(groups: tuple[Path, ...]) -> int:
    """How many processes of the sandbox the kernel has killed for want of memory."""
    for group in groups:
        for file in ("memory.oom_control", "memory.events"):
            with contextlib.suppress(OSError, ValueError):
                rows = dict(line.split() for line in (group / file).read_text().splitlines())
                return int(rows["oom_kill"])
    return 0


def _try_v1(mount: Path, paths: Mapping[str, str]) -> Cgroups | None:
    if not all(name in paths for name in CONTROLLERS):
        return None
    bases = {name: mount / name / paths[name].lstrip("/") for name in (*CONTROLLERS, FREEZER) if name in paths}
    usable = {name: base for name, base in bases.items() if _may_make(base)}
    return Cgroups(1, usable) if usable.keys() >= set(CONTROLLERS) else None


def _try_v2(mount: Path, paths: Mapping[str, str]) -> Cgroups | None:
    base = mount / paths.get("", "/").lstrip("/")
    if base.name == LEAF:
        base = base.parent
    try:
        offered = (base / "cgroup.controllers").read_text().split()
        if not all(name in offered for name in CONTROLLERS) or not _may_make(base):
            return None
        _hand_down(base)
    except OSError:
        return None
    return Cgroups(2, {"": base})


def _hand_down(base: Path) -> None:
    """Let groups below have the controllers. Version 2 does that only in a group without processes of its own: where
    this process is alone in one that was delegated to it, as in a systemd unit with `Delegate=yes`, it moves into a
    leaf. Raises OSError."""
    wanted = " ".join(f"+{name}" for name in CONTROLLERS)
    try:
        (base / "cgroup.subtree_control").write_text(wanted)
    except OSError as error:
        if error.errno != errno.EBUSY or (base / "cgroup.procs").read_text().split() != [str(os.getpid())]:
            raise
        (base / LEAF).mkdir(exist_ok=True)
        (base / LEAF / "cgroup.procs").write_text(str(os.getpid()))
        (base / "cgroup.subtree_control").write_text(wanted)


def _may_make(base: Path) -> bool:
    trial = base / f"outrider-probe-{os.getpid()}"
    try:
        trial.mkdir()
        trial.rmdir()
    except OSError:
        return False
    return True


def _v1_files(controller: str, limits: Limits) -> dict[str, str]:
    return {
        "memory": {"memory.limit_in_bytes": str(limits.memory_bytes)},
        "pids": {"pids.max": str(limits.processes)},
        "cpu": {
            "cpu.cfs_period_us": str(PERIOD_MICROSECONDS),
            "cpu.cfs_quota_us": str(int(limits.cpus * PERIOD_MICROSECONDS)),
        },
    }.get(controller, {})


def _v2_files(limits: Limits) -> dict[str, str]:
    return {
        "memory.max": str(limits.memory_bytes),
        "memory.swap.max": "0",
        "pids.max": str(limits.processes),
        "cpu.max": f"{int(limits.cpus * PERIOD_MICROSECONDS)} {PERIOD_MICROSECONDS}",
    }
