"""Small tar archives in memory."""

import io
import tarfile
from collections.abc import AsyncIterator, Mapping


def tar_of(
    files: Mapping[str, bytes], *, modes: Mapping[str, int] | None = None, links: Mapping[str, str] | None = None
) -> bytes:
    """A tar of these files, with their folders, for guest user 1000."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for folder in sorted(
            {"/".join(name.split("/")[:depth]) for name in files for depth in range(1, name.count("/") + 1)}
        ):
            archive.addfile(_member(folder, tarfile.DIRTYPE, 0o755))
        for name, content in files.items():
            member = _member(name, tarfile.REGTYPE, (modes or {}).get(name, 0o644))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for name, target in (links or {}).items():
            member = _member(name, tarfile.SYMTYPE, 0o777)
            member.linkname = target
            archive.addfile(member)
    return raw.getvalue()


def read_tar(data: bytes) -> dict[str, tuple[int, bytes]]:
    """Mode and content of each file, and for a link its target."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isreg() else None
            found[member.name] = (member.mode, file.read() if file else member.linkname.encode())
    return found


async def one_chunk(data: bytes) -> AsyncIterator[bytes]:
    """A stream of one piece."""
    yield data


def _member(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.mode = kind, mode
    member.uid = member.gid = 1000
    return member
