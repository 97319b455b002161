"""Copy a tree that belongs to guest ids: a block-sharing copy where the file system has it, bytes otherwise, and a
hard link to an earlier copy for what has not changed since.

Never follows a link: each step is taken from an open folder by name.
"""

import contextlib
import fcntl
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field

FICLONE = 0x40049409
CHUNK = 1 << 24

RACY_NS = 2_000_000_000
"""A file that changed so shortly before a copy may have changed again with the same time stamp: it is copied anew."""

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

Seen = dict[str, tuple[int, int]]
"""Inode and time of the last change (ns) by path."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A copy that was made before: its folder, open, when it was made (ns of the wall clock) and what it saw."""

    folder: int
    at: int
    files: Mapping[str, tuple[int, int]]


@dataclass(slots=True)
class Copier:
    """Copies one tree. `strip` takes off what a session may have smuggled in: setuid and setgid bits, extended
    attributes but the overlay's own, sockets and pipes."""

    strip: bool
    earlier: Earlier | None = None
    seen: Seen = field(default_factory=dict)
    _clones: bool = True
    _linked: dict[tuple[int, int], str] = field(default_factory=dict)
    _top: int = -1

    def copy(self, source: int, target: int) -> None:
        """Copy what is in the open folder `source` into the open folder `target`, and its mode, owner and times."""
        self._top = target
        self._folder(source, target, "")

    def _folder(self, source: int, target: int, path: str) -> None:
        with os.scandir(source) as entries:
            names = [entry.name for entry in entries]
        for name in names:
            self._entry(source, target, name, f"{path}/{name}" if path else name)
        self._finish_folder(source, target)

    def _entry(self, source: int, target: int, name: str, path: str) -> None:
        found = os.stat(name, dir_fd=source, follow_symlinks=False)
        kind = stat.S_IFMT(found.st_mode)
        if kind == stat.S_IFDIR:
            self._enter(source, target, name, path)
        elif kind == stat.S_IFREG:
            self._file(source, target, name, path, found)
        elif kind == stat.S_IFLNK:
            os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
            _own(target, name, found)
        elif kind == stat.S_IFCHR or not self.strip:
            # A whiteout is a character device 0/0, which anybody may make; others a guest cannot have.
            os.mknod(name, found.st_mode, found.st_rdev, dir_fd=target)
            _own(target, name, found)

    def _enter(self, source: int, target: int, name: str, path: str) -> None:
        os.mkdir(name, 0o700, dir_fd=target)
        inner, outer = os.open(name, FOLDER, dir_fd=source), os.open(name, FOLDER, dir_fd=target)
        try:
            self._folder(inner, outer, path)
        finally:
            os.close(inner)
            os.close(outer)

    def _finish_folder(self, source: int, target: int) -> None:
        found = os.fstat(source)
        os.fchown(target, found.st_uid, found.st_gid)
        os.fchmod(target, stat.S_IMODE(found.st_mode))
        self._attributes(source, target)
        os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))

    def _file(self, source: int, target: int, name: str, path: str, found: os.stat_result) -> None:
        self.seen[path] = (found.st_ino, found.st_ctime_ns)
        twin = self._linked.get((found.st_dev, found.st_ino)) if found.st_nlink > 1 else None
        if twin is not None:
            os.link(twin, name, src_dir_fd=self._top, dst_dir_fd=target, follow_symlinks=False)
            return
        if not self._unchanged(path, found) or not self._link_earlier(path, target, name):
            self._copy_file(source, target, name)
        if found.st_nlink > 1:
            self._linked[(found.st_dev, found.st_ino)] = path

    def _unchanged(self, path: str, found: os.stat_result) -> bool:
        earlier = self.earlier
        if earlier is None or found.st_ctime_ns > earlier.at - RACY_NS:
            return False
        return earlier.files.get(path) == (found.st_ino, found.st_ctime_ns)

    def _link_earlier(self, path: str, target: int, name: str) -> bool:
        """Share the earlier copy's file. Nobody writes to a layer, so they stay equal."""
        assert self.earlier is not None
        try:
            os.link(path, name, src_dir_fd=self.earlier.folder, dst_dir_fd=target, follow_symlinks=False)
        except OSError:
            return False  # too many links to it, or it is gone
        return True

    def _copy_file(self, source: int, target: int, name: str) -> None:
        reading = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=source)
        try:
            writing = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=target)
            try:
                found = os.fstat(reading)
                self._content(reading, writing, found.st_size)
                os.fchown(writing, found.st_uid, found.st_gid)
                rights = stat.S_IMODE(found.st_mode)
                os.fchmod(writing, rights & ~(stat.S_ISUID | stat.S_ISGID) if self.strip else rights)
                self._attributes(reading, writing)
                os.utime(writing, ns=(found.st_atime_ns, found.st_mtime_ns))
            finally:
                os.close(writing)
        finally:
            os.close(reading)

    def _content(self, reading: int, writing: int, size: int) -> None:
        if self._clones and size:
            try:
                fcntl.ioctl(writing, FICLONE, reading)
            except OSError:
                self._clones = False
            else:
                return
        for start, end in _extents(reading, size):
            os.lseek(writing, start, os.SEEK_SET)
            while start < end and (sent := os.sendfile(writing, reading, start, min(end - start, CHUNK))):
                start += sent
        os.ftruncate(writing, size)

    def _attributes(self, source: int, target: int) -> None:
        for name in os.listxattr(source):
            if name.startswith("user.overlay." if self.strip else "user."):
                os.setxattr(target, name, os.getxattr(source, name))


def _extents(file: int, size: int) -> list[tuple[int, int]]:
    """Where a file has data, so that its holes stay holes."""
    found, at = [], 0
    with contextlib.suppress(OSError):  # ENXIO: only a hole is left
        while at < size:
            start = os.lseek(file, at, os.SEEK_DATA)
            at = os.lseek(file, start, os.SEEK_HOLE)
            found.append((start, at))
    return found


def _own(folder: int, name: str, found: os.stat_result) -> None:
    os.chown(name, found.st_uid, found.st_gid, dir_fd=folder, follow_symlinks=False)
    os.utime(name, ns=(found.st_atime_ns, found.st_mtime_ns), dir_fd=folder, follow_symlinks=False)
