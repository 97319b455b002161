"""Many layers made one that shows the same files. Layers never change, so files are linked and not copied.

What one layer says of a path goes over what those below it say; a folder over anything but a folder hides what is
below it and becomes opaque. A whiteout (a character device 0:0) stays only where the layers that the result will stand
on have something for it to hide: in a folder that is in no other layer, overlayfs would list it as a file.
"""

import fcntl
import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from outrider.sandboxes.namespaces.mapped import userns
from outrider.sandboxes.namespaces.mapped.files import rename_first
from outrider.sandboxes.namespaces.mapped.userns import Failure, IdMap

OPAQUE = "user.overlay.opaque"


def squash(ids: IdMap, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make the layer `into` of `layers` (bottom first), to stand on `below`. A killed call leaves only a `.new-`
    folder, which is swept."""
    below = [Path("layers", layer) for layer in reversed(request["below"])]
    userns.run_mapped(ids, lambda: _squash(request["layers"], request["into"], below))
    return {}


def _squash(layers: list[str], into: str, below: list[Path]) -> None:
    final = Path("layers", into)
    if final.exists():
        return
    fresh = Path("layers", f".new-{into}-{os.getpid()}")
    fresh.mkdir()
    lock = os.open(fresh, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        for layer in layers:
            lay_over(Path("layers", layer), fresh)
        _drop_idle_whiteouts(fresh, below)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise Failure("squash", error.errno or 0, f"{error.strerror}: {error.filename}") from error
    rename_first(fresh, final)


def lay_over(source: Path, target: Path) -> None:
    """Put all that a layer's folder says over a folder that exists."""
    if _is_opaque(source):
        for entry in list(os.scandir(target)):
            _remove(Path(entry.path))
        os.setxattr(target, OPAQUE, b"y")
    for entry in os.scandir(source):
        below, there = Path(entry.path), target / entry.name
        if entry.is_dir(follow_symlinks=False):
            _enter(there)
            lay_over(below, there)
        else:
            _remove(there)
            os.link(below, there, follow_symlinks=False)
    _take_after(source, target)


def _drop_idle_whiteouts(folder: Path, below: list[Path]) -> None:
    """`below` are the folders of other layers, top first, that are seen through this one."""
    row = folder.lstat()
    for entry in list(os.scandir(folder)):
        if entry.is_dir(follow_symlinks=False):
            inner = Path(entry.path)
            _drop_idle_whiteouts(inner, [] if _is_opaque(inner) else _look_up(below, entry.name)[1])
        elif _is_whiteout(Path(entry.path)) and not _look_up(below, entry.name)[0]:
            Path(entry.path).unlink()
    os.utime(folder, ns=(row.st_atime_ns, row.st_mtime_ns))


def _look_up(folders: list[Path], name: str) -> tuple[bool, list[Path]]:
    """Whether folders of layers, top first, show something of that name; where it is a folder, its parts."""
    parts: list[Path] = []
    for folder in folders:
        path = folder / name
        mode = _mode(path)
        if mode is None:
            continue
        if not stat.S_ISDIR(mode):
            return bool(parts) or not _is_whiteout(path), parts
        parts.append(path)
        if _is_opaque(path):
            break
    return bool(parts), parts


def _enter(there: Path) -> None:
    """Make sure that a folder is there, opaque where it takes the place of something else."""
    mode = _mode(there)
    if mode is not None and stat.S_ISDIR(mode):
        return
    _remove(there)
    there.mkdir()
    if mode is not None:
        os.setxattr(there, OPAQUE, b"y")


def _remove(path: Path) -> None:
    mode = _mode(path)
    if mode is None:
        return
    if stat.S_ISDIR(mode):
        shutil.rmtree(path)
    else:
        path.unlink()


def _take_after(source: Path, target: Path) -> None:
    """Owner, mode and time of a folder."""
    row = source.lstat()
    os.chown(target, row.st_uid, row.st_gid)
    target.chmod(stat.S_IMODE(row.st_mode))
    os.utime(target, ns=(row.st_atime_ns, row.st_mtime_ns))


def _mode(path: Path) -> int | None:
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return None


def _is_whiteout(path: Path) -> bool:
    row = path.lstat()
    return stat.S_ISCHR(row.st_mode) and row.st_rdev == 0


def _is_opaque(folder: Path) -> bool:
    try:
        return os.getxattr(folder, OPAQUE) == b"y"
    except OSError:
        return False
