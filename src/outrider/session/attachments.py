"""Which uploaded files prompts have named, and what becomes of the others."""

from collections.abc import Callable, Iterable

from outrider.model.ids import AttachmentId, SessionId
from outrider.ports.attachments import Attachments
from outrider.session.registry import Registry

UNUSED_SECONDS = 24 * 3600.0
"""An upload that no prompt has named for so long is deleted."""


class AttachmentCollector:
    """Deletes uploads that were never sent. Sessions are asked only where there is an old file that none has named so
    far: what was named once is named for ever."""

    def __init__(self, attachments: Attachments, ids: Callable[[], Iterable[SessionId]], registry: Registry) -> None:
        self._attachments = attachments
        self._ids = ids
        self._registry = registry
        self._named = set[AttachmentId]()

    async def collect(self) -> int:
        """How many were deleted. Raises OutriderError, and deletes nothing, where a session cannot be read."""
        if not await self._attachments.unused(UNUSED_SECONDS, self._named):
            return 0
        for session in self._ids():
            self._named |= (await self._registry.state(session)).attachments.keys()
        unused = await self._attachments.unused(UNUSED_SECONDS, self._named)
        await self._attachments.delete(unused)
        return len(unused)
