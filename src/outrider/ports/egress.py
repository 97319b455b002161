"""Which hosts people have allowed to the sandboxes of a repository."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from outrider.model.person import Person


@dataclass(frozen=True, slots=True)
class RepositoryHost:
    """A host on a repository's list, with who allowed it."""

    host: str
    by: Person
    at: datetime


class EgressLists(Protocol):
    """The lists of all repositories. What is allowed or forbidden counts from the next connection on."""

    def hosts(self, repository: str) -> Sequence[str]:
        """The hosts on a repository's list, from memory: asked at each connection."""

    async def list(self, repository: str) -> Sequence[RepositoryHost]:
        """The same with who allowed them, by name."""

    async def allow(self, repository: str, host: str, by: Person) -> None:
        """Put a host on the list; one that is there stays as it is. `host` is a `HostRule`. Raises LimitReached."""

    async def forbid(self, repository: str, host: str) -> bool:
        """Take a host off the list. Returns whether it was there."""
