"""Files of prompts in a folder, named by their content, written once. Part of the deployment's blobs."""

import asyncio
import base64
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from outrider.model.attachment import HEAD_BYTES, Attachment, AttachmentRef, clean_name, expect_size, media_type
from outrider.model.errors import BadRequest, NotFound, OutriderError
from outrider.model.ids import AttachmentId
from outrider.ports.clock import Clock

PIECE_BYTES = 256 << 10


class DirectoryAttachments:
    """Implements `outrider.ports.attachments.Attachments`."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    async def put(self, name: str, content: AsyncIterator[bytes], limit_bytes: int) -> Attachment:
        """Store a file as it comes. See the port."""
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True, mode=0o700)
        with _fresh_file(self._folder) as (file, fresh):
            digest, size = hashlib.sha256(), 0
            async for piece in content:
                size += len(piece)
                expect_size(name, size, limit_bytes)
                digest.update(piece)
                await asyncio.to_thread(file.write, piece)
            if not size:
                raise BadRequest(f"{clean_name(name)} is empty.")
            attachment = AttachmentId("f-" + base64.b32encode(digest.digest()[:20]).decode().lower())
            await asyncio.to_thread(_finish, file, fresh, self._folder / attachment)
        return await self.find(AttachmentRef(id=attachment, name=name))

    async def find(self, ref: AttachmentRef) -> Attachment:
        """What a prompt names. See the port."""
        name = clean_name(ref.name)
        head, size = await asyncio.to_thread(self._look, ref.id, name)
        return Attachment(id=ref.id, name=name, media_type=media_type(head), size=size)

    async def read(self, attachment: AttachmentId) -> bytes:
        """All of a file. Raises NotFound."""
        with _expected(attachment):
            return await asyncio.to_thread((self._folder / attachment).read_bytes)

    async def stream(self, attachment: AttachmentId) -> AsyncIterator[bytes]:
        """A file in pieces. Raises NotFound."""
        with _expected(attachment):
            file = await asyncio.to_thread((self._folder / attachment).open, "rb")
        with file:
            while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
                yield piece

    async def unused(self, seconds: float, named: Set[AttachmentId]) -> set[AttachmentId]:
        """Files that nobody has put or named for so long. See the port."""
        return set(await asyncio.to_thread(lambda: list(self._old(seconds, named))))

    async def delete(self, attachments: Set[AttachmentId]) -> None:
        """Delete files."""
        for attachment in attachments:
            await asyncio.to_thread((self._folder / attachment).unlink, missing_ok=True)

    def _look(self, attachment: AttachmentId, name: str) -> tuple[bytes, int]:
        path = self._folder / attachment
        try:
            now = self._clock.now().timestamp()
            os.utime(path, (now, now))
            with path.open("rb") as file:
                return file.read(HEAD_BYTES), os.fstat(file.fileno()).st_size
        except FileNotFoundError as error:
            raise NotFound(
                f"The attachment {name} is not here.", "Upload it again, and send the prompt then."
            ) from error

    def _old(self, seconds: float, named: Set[AttachmentId]) -> Iterator[AttachmentId]:
        """Cut-off uploads too: they begin with a dot."""
        if not self._folder.is_dir():
            return
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name not in named and self._clock.now().timestamp() - entry.stat().st_mtime > seconds:
                    yield AttachmentId(entry.name)


@contextmanager
def _fresh_file(folder: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """A file without its name yet; gone where it was not finished."""
    handle, fresh = tempfile.mkstemp(dir=folder, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file, Path(fresh)
    except OSError as error:
        raise OutriderError(f"The attachment could not be written: {error.strerror}.", "Is the disk full?") from error
    finally:
        Path(fresh).unlink(missing_ok=True)


def _finish(file: IO[bytes], fresh: Path, path: Path) -> None:
    """A file of this name is whole, whenever the machine stops."""
    file.flush()
    os.fsync(file.fileno())
    fresh.rename(path)


@contextmanager
def _expected(attachment: AttachmentId) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"There is no attachment {attachment}.") from error
