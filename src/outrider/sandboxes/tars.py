"""Tar archives: one checked and hashed while it is copied, one found in an image's archive, and the archive from which
the daemon makes an image. Nothing is unpacked here."""

import asyncio
import hashlib
import io
import json
import platform
import tarfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outrider.model.errors import SandboxError

CHUNK_BYTES = 1 << 20

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class Part:
    """One layer of an image that is to be made: its hash, and its tar where the daemon may not have it."""

    diff_id: str
    tar: Path | None


def take_in(source: Path, target: Path) -> tuple[str, int]:
    """Copy a tar and return its hash and size. Raises SandboxError where it is not a whole one."""
    digest = hashlib.sha256()
    with source.open("rb") as read, target.open("wb") as write:
        while chunk := read.read(CHUNK_BYTES):
            digest.update(chunk)
            write.write(chunk)
        size = write.tell()
    try:
        with tarfile.open(target, "r:") as archive:
            for _ in archive:
                pass
    except (tarfile.TarError, OSError, EOFError) as error:
        raise SandboxError(f"The layer could not be unpacked: {error}.") from error
    return f"sha256:{digest.hexdigest()}", size


def is_tar_of_files(path: Path) -> bool:
    """Whether it is a plain tar at all, by its beginning."""
    try:
        with tarfile.open(path, "r:"):
            return True
    except (tarfile.TarError, OSError, EOFError):
        return False


def cut_out(archive_file: Path, targets: Mapping[str, Path]) -> list[str]:
    """Copy layers, named by their hash, out of an archive of the form of `GET /images/NAME/get`. Returns the hashes of
    those that were in it."""
    with tarfile.open(archive_file, "r:") as archive, archive_file.open("rb") as raw:
        members = {member.name: member for member in archive}

        def read(name: str) -> bytes:
            member = members[name]
            raw.seek(member.offset_data)
            return raw.read(member.size)

        (manifest,) = json.loads(read("manifest.json"))
        diffs = json.loads(read(manifest["Config"]))["rootfs"]["diff_ids"]
        found = [diff_id for diff_id in targets if diff_id in diffs]
        for diff_id in found:
            member = members[manifest["Layers"][diffs.index(diff_id)]]
            if member.issym():
                # Docker writes a layer once, and a link to it wherever another image of the archive has it too.
                member = members[_joined(member.name, member.linkname)]
            raw.seek(member.offset_data)
            _copy(raw, targets[diff_id], member.size)
        return found


async def image_archive(parts: Sequence[Part], config: dict[str, Any], reference: str) -> AsyncIterator[bytes]:
    """What `POST /images/load` takes. Layers without a tar are left out: the daemon looks there only for those that it
    has not under this chain."""
    whole = {
        "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [part.diff_id for part in parts]},
        "history": [{"created_by": "outrider"} for _ in parts],
    }
    names = [f"{number}/layer.tar" for number in range(len(parts))]
    manifest = [{"Config": "config.json", "RepoTags": [reference], "Layers": names}]
    yield _member("config.json", json.dumps(whole).encode())
    yield _member("manifest.json", json.dumps(manifest).encode())
    for name, part in zip(names, parts, strict=True):
        if part.tar:
            async for chunk in _file(name, part.tar):
                yield chunk
    yield bytes(2 * tarfile.BLOCKSIZE)


async def read_file(path: Path) -> AsyncIterator[bytes]:
    """A file in pieces."""
    with await asyncio.to_thread(path.open, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk


async def _file(name: str, path: Path) -> AsyncIterator[bytes]:
    info = tarfile.TarInfo(name)
    info.size = (await asyncio.to_thread(path.stat)).st_size
    yield info.tobuf(tarfile.PAX_FORMAT)
    async for chunk in read_file(path):
        yield chunk
    yield bytes(-info.size % tarfile.BLOCKSIZE)


def _member(name: str, content: bytes) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    return info.tobuf() + content + bytes(-len(content) % tarfile.BLOCKSIZE)


def one_file(name: str, content: bytes, mode: int) -> bytes:
    """A tar of one file of guest root."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(content), mode
        archive.addfile(info, io.BytesIO(content))
    return raw.getvalue()


def _joined(name: str, link: str) -> str:
    parts: list[str] = name.split("/")[:-1]
    for word in link.split("/"):
        if word == "..":
            parts.pop()
        elif word != ".":
            parts.append(word)
    return "/".join(parts)


def _copy(raw: io.BufferedReader, target: Path, size: int) -> None:
    with target.open("wb") as write:
        while size > 0 and (chunk := raw.read(min(CHUNK_BYTES, size))):
            write.write(chunk)
            size -= len(chunk)
