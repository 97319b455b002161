"""Who may tell of pushes, and whom they are told."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from outrider.api.attempts import Attempts
from outrider.model.push import Push
from outrider.ports.push_format import PushFormat


@dataclass(frozen=True)
class PushHooks:
    """Who may tell of pushes, and whom they are told. Without a secret nobody may."""

    secret: str
    formats: Sequence[PushFormat]
    attempts: Attempts
    take: Callable[[Push], Awaitable[tuple[str, ...]]]
    """Returns the names of the repositories that are meant."""
