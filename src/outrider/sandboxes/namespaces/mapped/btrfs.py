"""Subvolumes of btrfs: folders of which the file system itself makes a copy at once.

A box is one whole subvolume, since an overlay moves files between its upper and its work folder, which may not lie in
two.
"""

import fcntl
import os
import shutil
import struct
from pathlib import Path

SUBVOL_CREATE = 0x5000940E
SNAP_CREATE = 0x50009401
ROOT_INODE = 256
"""Inode number of every subvolume's own folder."""

INNER = ".outrider-upper"
"""A name that nothing at the top of a sandbox's files has."""

_ARGUMENTS = struct.Struct("q4088s")
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def make_folder(path: Path) -> None:
    """A subvolume where the file system has them, a plain folder otherwise."""
    if not _ask(path.parent, SUBVOL_CREATE, 0, path.name):
        path.mkdir()


def snapshot_upper(box: Path, target: Path) -> bool:
    """Make `target` a copy of the upper folder of `box`; False where the box is no subvolume. Takes some milliseconds
    at any size."""
    folder = os.open(box, _OPEN)
    try:
        if os.fstat(folder).st_ino != ROOT_INODE or not _ask(target.parent, SNAP_CREATE, folder, target.name):
            return False
    finally:
        os.close(folder)
    _hoist(target)
    return True


def _hoist(target: Path) -> None:
    """Leave of a copied box only what is in its upper folder, one level up."""
    inner = target / INNER
    (target / "upper").rename(inner)
    for path in target.iterdir():
        if path == inner:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    for path in inner.iterdir():
        path.rename(target / path.name)
    shutil.copystat(inner, target)
    inner.rmdir()


def _ask(parent: Path, request: int, fd: int, name: str) -> bool:
    folder = os.open(parent, _OPEN)
    try:
        # Only what can be written to may be longer than 1024 bytes.
        fcntl.ioctl(folder, request, bytearray(_ARGUMENTS.pack(fd, os.fsencode(name))))
    except OSError:
        return False
    finally:
        os.close(folder)
    return True
