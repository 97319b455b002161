"""Layers as files of a folder, or as objects of an S3-style store."""

import asyncio
import contextlib
import fcntl
import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from outrider.model.errors import NotFound, OutriderError
from outrider.ports.layer_blobs import LayerBlobs

CHUNK_BYTES = 1 << 20
PART_BYTES = 8 << 20
PARTS_AT_ONCE = 2
"""Memory of an upload: parts in flight. S3 takes 10,000 parts, so 80 GB a layer."""

S3_SCHEME = "s3://"

UNFINISHED = ".unfinished-"
YOUNG_SECONDS = 60.0


def open_layer_blobs(place: str, environment: Mapping[str, str]) -> LayerBlobs:
    """The store at `place`: a folder, or `s3://BUCKET/PREFIX` with the usual AWS_ variables of `environment`."""
    if not place.startswith(S3_SCHEME):
        return DirectoryLayerBlobs(Path(place))
    bucket, _, prefix = place.removeprefix(S3_SCHEME).partition("/")
    return S3LayerBlobs(_s3(bucket, prefix.strip("/"), environment))


class DirectoryLayerBlobs:
    """Implements `LayerBlobs`. A file of a name is whole, whenever the machine stops."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, name: str, content: AsyncIterator[bytes]) -> int:
        """Write beside, sync, rename."""
        with _said():
            await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True, mode=0o700)
            file = _fresh_file(self._folder)  # in no thread: whoever is cancelled while one opens it loses it open
            try:
                await asyncio.to_thread(_sweep, self._folder, file)
                async for chunk in content:
                    await asyncio.to_thread(file.write, chunk)
                size = file.tell()
                await asyncio.to_thread(_finish, file, self._folder / name)
            except BaseException:
                _drop(file)
                raise
        return size

    async def get(self, name: str) -> AsyncIterator[bytes]:
        """In chunks."""
        try:
            file = await asyncio.to_thread((self._folder / name).open, "rb")
        except FileNotFoundError as error:
            raise NotFound(f"There is no layer {name} in the blob store.") from error
        with file, _said():
            while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                yield chunk

    async def has(self, name: str) -> bool:
        """Whether the file is there."""
        return await asyncio.to_thread((self._folder / name).is_file)

    async def delete(self, name: str) -> None:
        """Unlink it."""
        await asyncio.to_thread((self._folder / name).unlink, missing_ok=True)

    async def names(self) -> Sequence[str]:
        """The files that are whole."""
        return await asyncio.to_thread(_names, self._folder)


class S3LayerBlobs:
    """Implements `LayerBlobs` over anything that speaks S3. An upload that is cut off is taken back."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    async def put(self, name: str, content: AsyncIterator[bytes]) -> int:
        """In parts."""
        size = 0

        async def counted() -> AsyncIterator[bytes]:
            nonlocal size
            async for chunk in content:
                size += len(chunk)
                yield chunk

        with _said():
            await obstore.put_async(self._store, name, counted(), chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE)
        return size

    async def get(self, name: str) -> AsyncIterator[bytes]:
        """In chunks."""
        with _said():
            try:
                found = await obstore.get_async(self._store, name)
            except FileNotFoundError as error:
                raise NotFound(f"There is no layer {name} in the blob store.") from error
            async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
                yield bytes(chunk)

    async def has(self, name: str) -> bool:
        """Whether the object is there."""
        with _said():
            try:
                await obstore.head_async(self._store, name)
            except FileNotFoundError:
                return False
        return True

    async def delete(self, name: str) -> None:
        """Remove it."""
        with _said(), contextlib.suppress(FileNotFoundError):
            await obstore.delete_async(self._store, name)

    async def names(self) -> Sequence[str]:
        """Every object below the prefix."""
        found: list[str] = []
        with _said():
            async for page in obstore.list(self._store):
                found += [row["path"] for row in page]
        return found


def _s3(bucket: str, prefix: str, environment: Mapping[str, str]) -> S3Store:
    given: dict[str, Any] = {
        option: environment[name]
        for name, option in (
            ("AWS_ACCESS_KEY_ID", "access_key_id"),
            ("AWS_SECRET_ACCESS_KEY", "secret_access_key"),
            ("AWS_SESSION_TOKEN", "session_token"),
            ("AWS_REGION", "region"),
            ("AWS_ENDPOINT_URL", "endpoint"),
        )
        if environment.get(name)
    }
    plain = str(given.get("endpoint", "")).startswith("http://")
    return S3Store(bucket, prefix=prefix or None, client_options={"allow_http": plain}, **given)


@contextlib.contextmanager
def _said() -> Iterator[None]:
    """The store's own errors as sentences."""
    try:
        yield
    except (OSError, BaseError) as error:
        reason = str(error).splitlines()[0][:300] or type(error).__name__
        remedy = "Is there room, and is OUTRIDER_BLOBS right?"
        raise OutriderError(f"The blob store could not be used: {reason}.", remedy) from error


def _fresh_file(folder: Path) -> BinaryIO:
    """Locked for as long as whoever writes it lives."""
    handle, name = tempfile.mkstemp(dir=folder, prefix=UNFINISHED)
    os.close(handle)
    return _locked(Path(name).open("wb"))


def _locked(file: BinaryIO) -> BinaryIO:
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def _sweep(folder: Path, newest: BinaryIO) -> None:
    """Delete what a killed writer has left. Between a file's making and its locking lies a moment: young ones stay."""
    now = os.fstat(newest.fileno()).st_mtime
    for path in folder.glob(f"{UNFINISHED}*"):
        with contextlib.suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if now - path.stat().st_mtime > YOUNG_SECONDS:
                path.unlink()


def _drop(file: BinaryIO) -> None:
    file.close()
    Path(file.name).unlink(missing_ok=True)


def _finish(file: BinaryIO, final: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()
    Path(file.name).rename(final)
    folder = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []
