"""What a backup holds, and in which order it is read while the server works.

Logs come first, then the catalog, then all that both speak of: whatever a copied log names is there when its turn
comes, since nothing is named before it is stored. Of a git repository the refs come before the objects for the same
reason.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from outrider.storage.catalog_copy import CATALOG

SESSIONS = "sessions"
TOKEN = "token"
LAYERS = "layer-blobs"
REPOSITORIES = ("forge", "quarantine")
PLAIN = ("blobs", "builds")

PARTS = (SESSIONS, CATALOG, *REPOSITORIES, *PLAIN, LAYERS)
"""What is restored. A home that has any of it is not empty."""

_UNFINISHED = ("tmp_", ".")


class Found(NamedTuple):
    """A file, or a folder that has to be there though it may be empty. `name` is the path below the home."""

    name: str
    path: Path
    folder: bool = False


def logs(home: Path) -> list[Found]:
    """The log of each session."""
    folders = sorted(folder for folder in _folders(home / SESSIONS) if (folder / "log.sqlite").is_file())
    return [Found(f"{SESSIONS}/{folder.name}/log.sqlite", folder / "log.sqlite") for folder in folders]


def beside_logs(home: Path) -> Iterator[Found]:
    """What else stands in sessions' folders: what was put aside because it was damaged."""
    for found in _walk(home / SESSIONS, SESSIONS):
        if not found.folder and not found.path.name.startswith("log.sqlite"):
            yield found


def others(home: Path, *, layers: bool) -> Iterator[Found]:
    """Everything that is read as it lies, in the order in which it is to be read."""
    for part in REPOSITORIES:
        for repository in _folders(home / part):
            if repository.name.endswith(".git") and not repository.name.startswith("."):
                yield from _repository(repository, f"{part}/{repository.name}")
    for part in (*PLAIN, *((LAYERS,) if layers else ())):
        yield from _walk(home / part, part)


def size(home: Path, *, layers: bool) -> int:
    """About how many bytes all of it has."""
    total = 0
    for found in (*logs(home), *others(home, layers=layers), Found(CATALOG, home / CATALOG)):
        try:
            total += 0 if found.folder else found.path.stat().st_size
        except OSError:
            continue
    return total


def _repository(path: Path, name: str) -> Iterator[Found]:
    objects: list[Found] = []
    yield Found(name, path, folder=True)
    for found in _walk(path, name):
        inside = found.name.removeprefix(f"{name}/")
        if inside == "objects" or inside.startswith("objects/"):
            continue
        if not inside.endswith(".lock"):
            yield found
    objects = list(_walk(path / "objects", f"{name}/objects"))
    yield Found(f"{name}/objects", path / "objects", folder=True)
    yield from objects


def _walk(top: Path, name: str) -> Iterator[Found]:
    """Plain files and folders below a folder, links and half-written files left out."""
    for folder, folders, files in os.walk(top):
        folders.sort()
        below = Path(folder).relative_to(top)
        for child in folders:
            if not (Path(folder) / child).is_symlink():
                yield Found(str(Path(name, below, child)), Path(folder, child), folder=True)
        for child in sorted(files):
            path = Path(folder, child)
            if not child.startswith(_UNFINISHED) and path.is_file() and not path.is_symlink():
                yield Found(str(Path(name, below, child)), path)


def _folders(top: Path) -> list[Path]:
    return sorted(path for path in top.iterdir() if path.is_dir() and not path.is_symlink()) if top.is_dir() else []
