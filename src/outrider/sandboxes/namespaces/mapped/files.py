"""Layers and sandboxes' files: unpack, freeze, measure, delete. They belong to guest ids, so it is done mapped."""

import fcntl
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from outrider.sandboxes.namespaces.mapped import btrfs, userns
from outrider.sandboxes.namespaces.mapped.userns import Failure, IdMap

UNPACK = (
    "tar", "--extract", "--file=-", "--numeric-owner", "--same-permissions", "--delay-directory-restore",
    "--xattrs", "--xattrs-include=user.*", "--exclude=./dev/*", "--exclude=dev/*",
)  # fmt: skip

PACK = (
    "tar", "--create", "--file=-", "--numeric-owner", "--format=posix", "--sparse",
    "--pax-option=delete=atime,delete=ctime", "--xattrs", "--xattrs-include=user.*", "--sort=name", ".",
)  # fmt: skip
"""Whiteouts (devices 0/0) and the overlay's attributes go along; the same layer gives the same bytes."""


def unpack(ids: IdMap, request: Mapping[str, Any]) -> dict[str, Any]:
    """Unpack the tar `tar` as layer `layer`. A killed call leaves only a `.new-` folder, which `sweep` removes."""
    with Path(request["tar"]).open("rb") as source:
        userns.run_mapped(ids, lambda: _unpack(source.fileno(), request["layer"]))
    return {}


def freeze(ids: IdMap, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make the upper folder of `box` the layer `layer`, without rights that a session could have smuggled in."""
    userns.run_mapped(ids, lambda: _freeze(request["box"], request["layer"], bool(request["strip"])))
    return {}


def delete(ids: IdMap, request: Mapping[str, Any]) -> dict[str, Any]:
    """Delete `path` below the guest folder: renamed into the trash first, so that it is gone at once or not at all."""
    userns.run_mapped(ids, lambda: _delete(request["path"]))
    return {}


def sweep(ids: IdMap, _request: Mapping[str, Any]) -> dict[str, Any]:
    """Make the folders on first use, and remove what killed calls left behind."""
    userns.run_mapped(ids, _sweep)
    return {}


def measure(ids: IdMap, request: Mapping[str, Any]) -> dict[str, Any]:
    """Bytes on disk that each of `boxes` has written."""
    return _measured(ids, {box: Path("boxes", box, "upper") for box in request["boxes"]})


def measure_layers(ids: IdMap, request: Mapping[str, Any]) -> dict[str, Any]:
    """Bytes on disk of each of `layers` that still exists."""
    return _measured(ids, {layer: Path("layers", layer) for layer in request["layers"]})


def _measured(ids: IdMap, folders: Mapping[str, Path]) -> dict[str, Any]:
    sizes = os.memfd_create("sizes")  # a pipe has room for some thousand lines only

    def work() -> None:
        for name, folder in folders.items():
            os.write(sizes, f"{name} {sum(_blocks(folder))}\n".encode())

    userns.run_mapped(ids, work)
    os.lseek(sizes, 0, os.SEEK_SET)
    rows = (line.split() for line in userns.read_all(sizes).decode().splitlines())
    return {"bytes": {name: int(size) for name, size in rows}}


def _unpack(source: int, layer: str) -> None:
    final = Path("layers", layer)
    if final.exists():
        return
    fresh = Path("layers", f".new-{layer}-{os.getpid()}")
    fresh.mkdir()
    lock = os.open(fresh, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    done = subprocess.run(
        UNPACK, stdin=source, cwd=fresh, env={"PATH": "/usr/bin:/bin"}, capture_output=True, check=False
    )
    if done.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise Failure("unpack", 0, done.stderr.decode(errors="replace")[-400:].strip())
    fresh.chmod(0o755)
    rename_first(fresh, final)


def _freeze(box: str, layer: str, clean: bool) -> None:
    upper, fresh = Path(box, "upper"), Path("layers", f".new-{layer}-{os.getpid()}")
    if not upper.exists():
        return
    if btrfs.snapshot_upper(Path(box), fresh):
        upper = fresh
    if clean:
        strip(upper)
    rename_first(upper, Path("layers", layer))


def export(ids: IdMap, request: Mapping[str, Any]) -> dict[str, Any]:
    """Write the layer `layer` as a tar to this program's output, which then carries no answer."""
    userns.run_mapped(ids, lambda: _export(request["layer"]))
    return {}


def _export(layer: str) -> None:
    place = Path("layers", layer)
    with tempfile.TemporaryFile() as told:
        done = subprocess.run(PACK, cwd=place, env={"PATH": "/usr/bin:/bin"}, stderr=told, check=False)
        if done.returncode != 0:
            told.seek(0)
            raise Failure("export", 0, told.read(400).decode(errors="replace").strip())


def rename_first(source: Path, final: Path) -> None:
    """Rename, or drop `source` where another call was first."""
    try:
        source.rename(final)
    except OSError:
        if not final.exists():
            raise
        shutil.rmtree(source, ignore_errors=True)


def strip(root: Path) -> None:
    """Take away setuid and setgid bits, extended attributes but the overlay's own, and sockets and pipes."""
    for path in _walk(root):
        mode = path.lstat().st_mode
        if stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode):
            path.unlink()
            continue
        if stat.S_ISLNK(mode):
            continue
        if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
            path.chmod(stat.S_IMODE(mode) & ~(stat.S_ISUID | stat.S_ISGID))
        for name in os.listxattr(path, follow_symlinks=False):
            if not name.startswith("user.overlay."):
                os.removexattr(path, name, follow_symlinks=False)


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            yield Path(folder, name)


LEAST_BYTES = 4096
"""What a file counts that has no blocks: a disk runs out of inodes too."""


def _blocks(root: Path) -> Iterator[int]:
    for path in _walk(root):
        try:
            yield max(path.lstat().st_blocks * 512, LEAST_BYTES)
        except FileNotFoundError:
            continue


def _delete(path: str) -> None:
    doomed = Path("trash", f"{Path(path).name}-{os.getpid()}")
    try:
        lock = os.open(path, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        Path(path).rename(doomed)
    except FileNotFoundError:
        return
    _empty_trash(lambda path: path == doomed or _unlocked(path))


def _sweep() -> None:
    for name in ("layers", "boxes", "trash"):
        Path(name).mkdir(exist_ok=True)
    for doomed in Path("layers").glob(".new-*"):
        if _unlocked(doomed):
            shutil.rmtree(doomed, ignore_errors=True)
    _empty_trash(_unlocked)


def _empty_trash(ours: Callable[[Path], bool]) -> None:
    for doomed in Path("trash").iterdir():
        if ours(doomed):
            shutil.rmtree(doomed, ignore_errors=True)


def _unlocked(path: Path) -> bool:
    """Whether no living call works in the folder: each holds a lock on it, which ends with the process."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(fd)
    return True
