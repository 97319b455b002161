"""What `--repo` names, seen from where the person stands. Nothing in a checkout is touched or run."""

from dataclasses import dataclass
from pathlib import Path

from outrider.app.git import ask_git

NAMED_CHANGES = 5


@dataclass(frozen=True, slots=True)
class Checkout:
    """A repository to work on: what the server is told, and the folder where it is one."""

    source: str
    folder: Path | None

    @classmethod
    def parse(cls, repo: str) -> "Checkout":
        """A folder becomes its absolute path; everything else is the server's to understand."""
        path = Path(repo).expanduser()
        if path.is_dir():
            return cls(str(path.resolve()), path.resolve())
        return cls(repo, None)

    def left_out(self) -> str:
        """A sentence that names uncommitted changes, which are not taken; empty where there are none."""
        changes = _uncommitted(self.folder) if self.folder else []
        if not changes:
            return ""
        named = ", ".join(changes[:NAMED_CHANGES])
        more = f" and {len(changes) - NAMED_CHANGES} more" if len(changes) > NAMED_CHANGES else ""
        return f"Uncommitted changes stay where they are and are not part of this: {named}{more}."


def _uncommitted(folder: Path) -> list[str]:
    """Paths with changes."""
    told = ask_git("status", "--porcelain=v1", "-z", "--no-renames", "--ignore-submodules", folder=folder)
    return [entry[3:] for entry in told.split("\0") if len(entry) > 3]
