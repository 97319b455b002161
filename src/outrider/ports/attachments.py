"""Where the files of prompts are kept, by their content and for all sessions."""

from collections.abc import AsyncIterator, Set
from typing import Protocol

from outrider.model.attachment import Attachment, AttachmentRef
from outrider.model.ids import AttachmentId


class Attachments(Protocol):
    """A file is uploaded first and named by a prompt then. One that no prompt names is deleted some time later."""

    async def put(self, name: str, content: AsyncIterator[bytes], limit_bytes: int) -> Attachment:
        """Store a file as it comes; the same bytes again are the same file. Raises LimitReached beyond `limit_bytes`,
        BadRequest where it is empty, OutriderError where it cannot be written; nothing is left then."""

    async def find(self, ref: AttachmentRef) -> Attachment:
        """What a prompt names; it is not deleted within the next hours. Raises NotFound."""

    async def read(self, attachment: AttachmentId) -> bytes:
        """All of a file. Raises NotFound."""

    def stream(self, attachment: AttachmentId) -> AsyncIterator[bytes]:
        """A file in pieces. Raises NotFound."""

    async def unused(self, seconds: float, named: Set[AttachmentId]) -> set[AttachmentId]:
        """Files that are not among these and that nobody has put or named for so long."""

    async def delete(self, attachments: Set[AttachmentId]) -> None:
        """Delete files."""
