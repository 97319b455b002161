"""Artifacts as files: `<folder>/<session>/<artifact>`, named by their content, written once and never changed."""

import asyncio
import base64
import hashlib
import os
import re
import tempfile
from pathlib import Path

from outrider.model.errors import NotFound, OutriderError
from outrider.model.ids import ID_PATTERN, ArtifactId, SessionId
from outrider.model.limits import FIXED, limit_reached

MAX_BYTES = 64 << 20
"""Largest artifact. Whoever writes one bounds it far below; this is the net beneath."""

_ID = re.compile(ID_PATTERN)
_DIGEST_BYTES = 20
"""160 bits of the SHA-256: 32 letters of base 32, the longest that an id may have."""


class DirectoryBlobs:
    """Implements `outrider.ports.store.Blobs`. A file is the media type, a zero byte, and the bytes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, session: SessionId, data: bytes, *, media_type: str) -> ArtifactId:
        """Store bytes; the same bytes and type again are the same artifact. Raises LimitReached."""
        if len(data) > MAX_BYTES:
            raise limit_reached(f"An artifact of {len(data):,} bytes is too large: {MAX_BYTES:,} at most.", "", FIXED)
        return await asyncio.to_thread(self._write, session, media_type.encode() + b"\0" + data)

    async def get(self, session: SessionId, artifact: ArtifactId) -> tuple[bytes, str]:
        """Bytes and media type. Raises NotFound."""
        content = await asyncio.to_thread(self._read, session, artifact)
        media_type, _, data = content.partition(b"\0")
        return data, media_type.decode()

    def _write(self, session: SessionId, content: bytes) -> ArtifactId:
        digest = hashlib.sha256(content).digest()[:_DIGEST_BYTES]
        artifact = ArtifactId("a-" + base64.b32encode(digest).decode().lower())
        path = self._path(session, artifact)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write_at_once(path, content)
        return artifact

    def _read(self, session: SessionId, artifact: ArtifactId) -> bytes:
        try:
            return self._path(session, artifact).read_bytes()
        except FileNotFoundError as error:
            raise NotFound(f"There is no artifact {artifact}.") from error

    def _path(self, session: SessionId, artifact: ArtifactId) -> Path:
        if not (_ID.fullmatch(session) and _ID.fullmatch(artifact)):
            raise NotFound(f"There is no artifact {artifact!r}.")
        return self._folder / session / artifact


def _write_at_once(path: Path, content: bytes) -> None:
    """Write, fsync and rename: a file of this name is whole, whenever the machine stops."""
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(fresh).rename(path)
    except OSError as error:
        Path(fresh).unlink(missing_ok=True)
        raise OutriderError(
            f"The artifact {path} could not be written: {error.strerror}.", "Is the disk full?"
        ) from error
