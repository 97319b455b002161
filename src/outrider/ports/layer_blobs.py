"""Where layers are kept beyond the machine that made them."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol


class LayerBlobs(Protocol):
    """Named streams of bytes, each written once. Raises OutriderError where the store cannot be reached or is full."""

    async def put(self, name: str, content: AsyncIterator[bytes]) -> int:
        """Store a stream, whole or not at all, and return its bytes."""

    def get(self, name: str) -> AsyncIterator[bytes]:
        """Read it back. Raises NotFound."""

    async def has(self, name: str) -> bool:
        """Whether it is there."""

    async def delete(self, name: str) -> None:
        """Remove it. No error where it is not there."""

    async def names(self) -> Sequence[str]:
        """All that is there."""
