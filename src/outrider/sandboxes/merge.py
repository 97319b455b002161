"""Several layers as one tar: what is shown above them is the same.

Layers are tars with whiteouts: `.wh.NAME` takes NAME of the layers below away, `.wh..wh..opq` all that they have in its
folder. The topmost word about a path counts, so the tars are read from the top.
"""

import copy
import io
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"

RIGHTS = 0o6000
"""Setuid and setgid."""


@dataclass(slots=True)
class _Seen:
    """What the layers above have said, and what is below all of them."""

    below: frozenset[str] = frozenset()
    folders: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    opaque: set[str] = field(default_factory=set)

    def hides(self, path: str) -> bool:
        """Whether the layers above show something else there, or nothing."""
        if path in self.gone or path in self.others or path in self.folders:
            return True
        return any(above in self.opaque or above in self.gone or above in self.others for above in _above(path))

    def add(self, other: "_Seen") -> None:
        """A layer has been read."""
        self.folders |= other.folders
        self.others |= other.others
        self.gone |= other.gone
        self.opaque |= other.opaque


def merge(tars: Sequence[Path], target: Path, below: Sequence[Path]) -> None:
    """Write one tar that shows above `below` the same as these, all bottom first. Only what is below is taken away: in
    a folder that only one layer has, the kernel shows a whiteout as a file that cannot be opened."""
    seen = _Seen(below=_shown(below))
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as out:
        for tar in reversed(tars):
            with tarfile.open(tar, "r:") as archive, tar.open("rb") as raw:
                seen.add(_take(archive, raw, seen, out))


def without_rights(tar: Path) -> None:
    """Take setuid and setgid off every file in a tar, where it stands."""
    with tarfile.open(tar, "r:") as archive, tar.open("r+b") as raw:
        for member in archive:
            if member.isreg() and member.mode & RIGHTS:
                start = member.offset_data - tarfile.BLOCKSIZE
                raw.seek(start)
                header = bytearray(raw.read(tarfile.BLOCKSIZE))
                header[100:108] = b"%07o\0" % (member.mode & ~RIGHTS)
                header[148:156] = b" " * 8
                header[148:156] = b"%06o\0 " % sum(header)
                raw.seek(start)
                raw.write(header)


def _take(archive: tarfile.TarFile, raw: io.BufferedReader, seen: _Seen, out: tarfile.TarFile) -> _Seen:
    """Write what shows of one layer; what it says for the layers below."""
    said, written = _Seen(), set[str]()
    members = {path: member for member in archive if (path := _path(member.name))}
    for path, member in members.items():
        folder, _, name = path.rpartition("/")
        if name == OPAQUE:
            said.opaque.add(folder)
            if folder in seen.below and not _covered(folder, seen) and folder not in seen.opaque:
                _write(out, member, raw)
        elif name.startswith(WHITEOUT):
            taken = f"{folder}/{name.removeprefix(WHITEOUT)}".lstrip("/")
            said.gone.add(taken)
            _write_whiteout(out, member, taken, seen)
        elif not seen.hides(path):
            (said.folders if member.isdir() else said.others).add(path)
            written.add(path)
            source = members.get(_path(member.linkname)) if member.islnk() else None
            whole = source is not None and _path(member.linkname) not in written
            _write(out, _as_file(member, source) if whole and source else member, raw)
        elif member.isdir() and path in seen.folders:
            said.folders.add(path)
    return said


def _write_whiteout(out: tarfile.TarFile, member: tarfile.TarInfo, taken: str, seen: _Seen) -> None:
    """A folder that was taken away and made again above hides what is below it, but is there."""
    if taken not in seen.below:
        return
    if not seen.hides(taken):
        out.addfile(member)
    elif taken in seen.folders and taken not in seen.opaque:
        opaque = tarfile.TarInfo(f"{taken}/{OPAQUE}")
        out.addfile(opaque)


def _shown(tars: Sequence[Path]) -> frozenset[str]:
    """The paths that these layers show."""
    shown: set[str] = set()
    for tar in tars:
        with tarfile.open(tar, "r:") as archive:
            paths = [path for member in archive if (path := _path(member.name))]
        doomed = {_doomed(path) for path in paths if path.rpartition("/")[2].startswith(WHITEOUT)}
        if doomed:
            shown = {path for path in shown if not doomed.intersection(_ways_out(path))}
        shown |= {path for path in paths if not path.rpartition("/")[2].startswith(WHITEOUT)}
    return frozenset(shown)


def _ways_out(path: str) -> Iterator[str]:
    """What a whiteout may name that takes a path away."""
    yield path
    for above in _above(path):
        yield from (above, f"{above}/")


def _doomed(path: str) -> str:
    """What a whiteout takes away: a path, or with a slash at its end all that is in a folder."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/" if name == OPAQUE else f"{folder}/{name.removeprefix(WHITEOUT)}".lstrip("/")


def _covered(folder: str, seen: _Seen) -> bool:
    return (
        folder in seen.gone
        or folder in seen.others
        or any(above in seen.opaque or above in seen.gone or above in seen.others for above in _above(folder))
    )


def _as_file(link: tarfile.TarInfo, source: tarfile.TarInfo) -> tarfile.TarInfo:
    """A hard link whose file a layer above has replaced: it becomes the file."""
    whole = copy.deepcopy(source)  # TarInfo.replace came with Python 3.11.4
    whole.name = link.name
    return whole


def _write(out: tarfile.TarFile, member: tarfile.TarInfo, raw: io.BufferedReader) -> None:
    if member.isreg():
        raw.seek(member.offset_data)
        out.addfile(member, raw)
    else:
        out.addfile(member)


def _path(name: str) -> str:
    return name.removeprefix("./").strip("/")


def _above(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
