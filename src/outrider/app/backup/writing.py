"""A backup as a stream of bytes: a tar that is made while it is read, with bounded memory."""

import asyncio
import hashlib
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from outrider import __version__
from outrider.app.backup import parts
from outrider.app.backup.databases import newest_snapshot, prune_catalog
from outrider.app.backup.parts import Found
from outrider.app.supplies import make_layer_blobs
from outrider.model.backup import HEAD, MANIFEST, BackupFile, BackupHead, BackupManifest
from outrider.model.errors import OutriderError
from outrider.model.ids import LayerId, SessionId
from outrider.ports.clock import Clock
from outrider.ports.layer_blobs import LayerBlobs
from outrider.settings import Settings
from outrider.storage.catalog_copy import CATALOG, copy_database

CHUNK_BYTES = 1 << 20

Store = Callable[[tuple[LayerId, ...]], Awaitable[int]]
"""Brings layers to the blob store. Raises OutriderError."""


@dataclass(frozen=True, slots=True)
class Source:
    """A deployment to back up. `layers` is where snapshots are stored, where that is not in the home; `store` brings
    there what is not stored yet, where a server is there to do it."""

    home: Path
    clock: Clock
    layers: LayerBlobs | None = None
    store: Store | None = None


@dataclass(slots=True)
class _Noted:
    files: list[BackupFile] = field(default_factory=list)
    damaged: list[SessionId] = field(default_factory=list)
    without_files: list[SessionId] = field(default_factory=list)


def source_of(settings: Settings, clock: Clock, store: Store | None = None) -> Source:
    """The deployment of these settings."""
    return Source(settings.home, clock, make_layer_blobs(settings) if settings.blobs else None, store)


def backups_of(settings: Settings, clock: Clock, store: Store) -> Callable[[bool, bool], AsyncIterator[bytes]]:
    """Gives a backup of a server's deployment, with snapshots or without, with secrets or without."""

    def backup(snapshots: bool, secrets: bool) -> AsyncIterator[bytes]:
        return Backup(source_of(settings, clock, store), snapshots=snapshots, secrets=secrets).stream()

    return backup


class Backup:
    """One backup. Iterate over `stream` once."""

    def __init__(self, source: Source, *, snapshots: bool = True, secrets: bool = False) -> None:
        self._source = source
        self._home = source.home
        self._snapshots = snapshots
        self._secrets = secrets
        self._noted = _Noted()

    async def stream(self) -> AsyncIterator[bytes]:
        """The tar's bytes. Raises OutriderError; what was read until then is no backup."""
        logs = await asyncio.to_thread(parts.logs, self._home)
        head = await asyncio.to_thread(self._head, len(logs))
        yield _member(HEAD, head.model_dump_json().encode())
        with tempfile.TemporaryDirectory(dir=_scratch(self._home)) as folder:
            async for piece in self._databases(logs, Path(folder, "copy.sqlite")):
                yield piece
            if self._snapshots and self._source.layers:
                async for piece in self._fetched(self._source.layers, Path(folder, "layer")):
                    yield piece
        async for piece in self._plain():
            yield piece
        yield _member(MANIFEST, self._manifest(head).model_dump_json().encode())
        yield bytes(tarfile.RECORDSIZE)

    def _head(self, sessions: int) -> BackupHead:
        return BackupHead(
            version=__version__,
            home=str(self._home),
            started_at=self._source.clock.now(),
            sessions=sessions,
            bytes=parts.size(self._home, layers=self._snapshots),
            snapshots=self._snapshots,
            secrets=self._secrets,
        )

    def _manifest(self, head: BackupHead) -> BackupManifest:
        return BackupManifest(
            head=head,
            finished_at=self._source.clock.now(),
            files=tuple(self._noted.files),
            damaged=tuple(self._noted.damaged),
            without_files=tuple(self._noted.without_files),
        )

    async def _databases(self, logs: list[Found], copy: Path) -> AsyncIterator[bytes]:
        for log in logs:
            async for piece in self._log(log, SessionId(log.path.parent.name), copy):
                yield piece
        catalog = self._home / CATALOG
        if catalog.exists():
            known = {log.path.parent.name for log in logs}
            await asyncio.to_thread(_copy_catalog, catalog, copy, known, self._secrets)
            async for piece in self._file(Found(CATALOG, copy)):
                yield piece

    async def _log(self, log: Found, session: SessionId, copy: Path) -> AsyncIterator[bytes]:
        """One that cannot be read goes along as it is, write-ahead log and all."""
        try:
            await asyncio.to_thread(copy_database, log.path, copy)
            unstored = await asyncio.to_thread(newest_snapshot, copy)
        except (sqlite3.Error, ValueError, KeyError):
            self._noted.damaged.append(session)
            for suffix in ("", "-wal"):
                found = Found(log.name + suffix, log.path.with_name(log.path.name + suffix))
                async for piece in self._file(found):
                    yield piece
            return
        await self._have_stored(session, unstored)
        async for piece in self._file(Found(log.name, copy)):
            yield piece

    async def _have_stored(self, session: SessionId, layers: tuple[LayerId, ...]) -> None:
        if not layers or not self._snapshots:
            return
        try:
            if self._source.store is None:
                raise OutriderError("No server runs that could store them.")
            await self._source.store(layers)
        except OutriderError:
            self._noted.without_files.append(session)

    async def _fetched(self, layers: LayerBlobs, scratch: Path) -> AsyncIterator[bytes]:
        for name in sorted(await layers.names()):
            with await asyncio.to_thread(scratch.open, "wb") as file:
                async for chunk in layers.get(name):
                    await asyncio.to_thread(file.write, chunk)
            async for piece in self._file(Found(f"{parts.LAYERS}/{name}", scratch)):
                yield piece

    async def _plain(self) -> AsyncIterator[bytes]:
        inside = self._snapshots and self._source.layers is None
        secret = [Found(parts.TOKEN, self._home / parts.TOKEN)] if self._secrets else []
        for found in _all(parts.beside_logs(self._home), parts.others(self._home, layers=inside), secret):
            if found.folder:
                yield _folder(found.name)
            else:
                async for piece in self._file(found):
                    yield piece

    async def _file(self, found: Found) -> AsyncIterator[bytes]:
        """A file as long as it is now. One that is gone by now is needed by nobody. One that shrinks meanwhile, which
        none does, is filled up with zeros."""
        try:
            file = await asyncio.to_thread(found.path.open, "rb")
        except FileNotFoundError:
            return
        digest = hashlib.sha256()
        with file:
            size = os.fstat(file.fileno()).st_size
            yield _header(found.name, size)
            left = size
            while left:
                piece = await asyncio.to_thread(file.read, min(left, CHUNK_BYTES))
                piece = piece or bytes(min(left, CHUNK_BYTES))
                digest.update(piece)
                left -= len(piece)
                yield piece
        yield bytes(-size % tarfile.BLOCKSIZE)
        self._noted.files.append(BackupFile(name=found.name, bytes=size, sha256=digest.hexdigest()))


def _all(*rows: "Iterator[Found] | list[Found]") -> Iterator[Found]:
    for row in rows:
        yield from row


def _copy_catalog(catalog: Path, copy: Path, sessions: set[str], secrets: bool) -> None:
    try:
        copy_database(catalog, copy)
        prune_catalog(copy, sessions, secrets=secrets)
    except sqlite3.Error as error:
        raise OutriderError(f"The catalog {catalog} cannot be read: {error}.", "See `outrider doctor`.") from error


def _scratch(home: Path) -> Path:
    folder = home / "scratch"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _header(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry.tobuf(tarfile.PAX_FORMAT)


def _folder(name: str) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, 0o700
    return entry.tobuf(tarfile.PAX_FORMAT)


def _member(name: str, content: bytes) -> bytes:
    return _header(name, len(content)) + content + bytes(-len(content) % tarfile.BLOCKSIZE)
