"""How much memory is left for sandboxes: of the machine, or of the control group that we live in."""

from dataclasses import dataclass
from pathlib import Path

from outrider.model.base import Model

ONE_SANDBOX_BYTES = 700 << 20
"""A warm sandbox with OpenCode started and primed."""

RESERVE_SHARE = 0.1
RESERVE_BYTES = 1 << 30
"""What the pool leaves alone: a tenth of all, at least so much, and never more than a quarter."""

_GROUPS = (("memory", "memory.limit_in_bytes", "memory.usage_in_bytes"), ("", "memory.max", "memory.current"))


class Memory(Model):
    """Bytes."""

    total: int
    left: int

    @property
    def reserve(self) -> int:
        """What is to stay free."""
        return min(max(int(self.total * RESERVE_SHARE), RESERVE_BYTES), self.total // 4)

    @property
    def pressed(self) -> bool:
        """Whether the pool has to shrink."""
        return self.left < self.reserve

    @property
    def room(self) -> int:
        """For how many more sandboxes there is enough; negative where one has to go."""
        return -1 if self.pressed else (self.left - self.reserve) // ONE_SANDBOX_BYTES


@dataclass(frozen=True, slots=True)
class MemoryGauge:
    """Reads the kernel's files. Those that are missing say nothing."""

    meminfo: Path = Path("/proc/meminfo")
    own_group: Path = Path("/proc/self/cgroup")
    groups: Path = Path("/sys/fs/cgroup")

    def read(self) -> Memory:
        """The tighter of the machine's and the group's."""
        machine = self._machine()
        limits = [found for found in map(self._group, self._paths()) if found and found.total < machine.total]
        return min((machine, *limits), key=lambda memory: memory.left)

    def _machine(self) -> Memory:
        rows = dict(line.split(":", 1) for line in self.meminfo.read_text().splitlines() if ":" in line)
        return Memory(total=_kilobytes(rows, "MemTotal"), left=_kilobytes(rows, "MemAvailable"))

    def _paths(self) -> list[Path]:
        """Our groups and all above them, of either version: a limit anywhere there holds for us."""
        found: list[Path] = []
        try:
            lines = [line.split(":", 2) for line in self.own_group.read_text().splitlines()]
        except OSError:
            return found
        for _, names, path in lines:
            for controller, _, _ in _GROUPS:
                if controller in names.split(","):
                    base = self.groups / controller if controller else self.groups
                    own = base / path.lstrip("/")
                    found += [folder for folder in (own, *own.parents) if folder.is_relative_to(base)]
        return found

    def _group(self, folder: Path) -> Memory | None:
        for _, limit_file, usage_file in _GROUPS:
            try:
                limit, used = int((folder / limit_file).read_text()), int((folder / usage_file).read_text())
                return Memory(total=limit, left=max(limit - used + self._cache(folder), 0))
            except (OSError, ValueError):
                continue
        return None

    def _cache(self, folder: Path) -> int:
        """Files that the kernel keeps in memory and gives back when somebody wants it."""
        try:
            rows = dict(line.split(" ", 1) for line in (folder / "memory.stat").read_text().splitlines())
            return int(rows.get("total_inactive_file") or rows.get("inactive_file") or 0)
        except (OSError, ValueError):
            return 0


def _kilobytes(rows: dict[str, str], name: str) -> int:
    return int(rows[name].split()[0]) << 10
