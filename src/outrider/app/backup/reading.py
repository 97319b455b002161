"""A backup read again: checked, and unpacked. What is in the file is trusted for nothing: every path, size and sum is
looked at."""

import hashlib
import os
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, BinaryIO

import zstandard
from pydantic import ValidationError

from outrider.app.backup.parts import PARTS, TOKEN
from outrider.model.backup import HEAD, MANIFEST, BackupFile, BackupHead, BackupManifest, BackupReport
from outrider.model.errors import BadRequest
from outrider.storage.catalog_copy import CATALOG

CHUNK_BYTES = 1 << 20
MOST_NOTES_BYTES = 1 << 30
ZSTD_SUFFIX = ".zst"

Say = Callable[[int, int], None]
"""Bytes read, bytes expected."""


def check(path: Path, say: Say) -> BackupReport:
    """Read it all, and compare it with its manifest. Raises BadRequest where it is not whole."""
    return _read(path, None, say)


def unpack(path: Path, folder: Path, say: Say) -> BackupReport:
    """The same, and write its files below a new folder. Raises BadRequest; what was written until then is of no use."""
    return _read(path, folder, say)


def _read(path: Path, folder: Path | None, say: Say) -> BackupReport:
    try:
        with _opened(path) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
            head, manifest, seen = _members(tar, folder, say)
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
        raise _broken(path, f"it cannot be read: {error}") from error
    except ValidationError as error:
        raise _broken(path, f"its notes cannot be read: {error.errors()[0]['msg']}") from error
    except OSError as error:
        raise BadRequest(f"{path} could not be read: {error.strerror or error}.") from error
    if head is None:
        raise _broken(path, "it is no backup of Outrider")
    if manifest is None:
        raise _broken(path, "it was cut off")
    _compare(path, manifest, seen)
    size = sum(file.bytes for file in manifest.files)
    return BackupReport(
        head=head,
        files=len(manifest.files),
        bytes=size,
        damaged=manifest.damaged,
        without_files=manifest.without_files,
    )


def _members(
    tar: tarfile.TarFile, folder: Path | None, say: Say
) -> tuple[BackupHead | None, BackupManifest | None, dict[str, BackupFile]]:
    head: BackupHead | None = None
    seen: dict[str, BackupFile] = {}
    done = 0
    for entry in tar:
        if entry.name == HEAD:
            head = BackupHead.model_validate_json(_note(tar, entry))
        elif entry.name == MANIFEST:
            return head, BackupManifest.model_validate_json(_note(tar, entry)), seen
        elif head is None:
            return None, None, seen
        elif entry.isdir():
            if folder:
                _place(folder, entry.name).mkdir(parents=True, exist_ok=True, mode=0o700)
        else:
            seen[entry.name] = _take(tar, entry, folder)
            done += entry.size
            say(done, head.bytes)
    return head, None, seen


def _note(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    if entry.size > MOST_NOTES_BYTES:
        raise tarfile.ReadError(f"{entry.name} is too long")
    return _content(tar, entry).read()


def _take(tar: tarfile.TarFile, entry: tarfile.TarInfo, folder: Path | None) -> BackupFile:
    digest, size = hashlib.sha256(), 0
    target = _fresh(_place(folder, entry.name)) if folder else None
    try:
        content = _content(tar, entry)
        while chunk := content.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
            if target:
                target.write(chunk)
    finally:
        if target:
            target.flush()
            target.close()
    return BackupFile(name=entry.name, bytes=size, sha256=digest.hexdigest())


def _content(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(entry) if entry.isreg() else None
    if content is None:
        raise tarfile.ReadError(f"{entry.name} is no plain file")
    return content


def _place(folder: Path, name: str) -> Path:
    """Below the folder, and below one of the parts. Raises ReadError for any other path."""
    pieces = name.split("/")
    if pieces[0] not in (*PARTS, TOKEN) or any(piece in ("", ".", "..") for piece in pieces):
        raise tarfile.ReadError(f"{name} is no path of a backup")
    return folder / name


def _fresh(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _compare(path: Path, manifest: BackupManifest, seen: dict[str, BackupFile]) -> None:
    for file in manifest.files:
        if seen.get(file.name) != file:
            raise _broken(path, f"{file.name} is not what was backed up")
    extra = seen.keys() - {file.name for file in manifest.files}
    if extra:
        raise _broken(path, f"{min(extra)} was not backed up")


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        if path.suffix != ZSTD_SUFFIX:
            yield file
            return
        with zstandard.ZstdDecompressor().stream_reader(file) as reader:
            yield reader


def check_databases(folder: Path) -> None:
    """Every log and the catalog can be opened, but those that were damaged before. Raises BadRequest."""
    catalog = folder / CATALOG
    if not catalog.is_file():
        return
    try:
        with closing(sqlite3.connect(catalog)) as db:
            db.execute("SELECT count(*) FROM session").fetchone()
    except sqlite3.Error as error:
        raise BadRequest(f"The catalog in the backup cannot be read: {error}.", "Take another backup.") from error


def _broken(path: Path, why: str) -> BadRequest:
    return BadRequest(f"{path} is no whole backup: {why}.", "Use another one.")
