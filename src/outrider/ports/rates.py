"""What people have done lately, counted over restarts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from outrider.model.person import Person

Deed = Literal["session", "upload"]
"""Starting a session; sending a file."""


@dataclass(frozen=True, slots=True)
class Done:
    """How often something was done since some time."""

    count: int = 0
    oldest: datetime | None = None


class Rates(Protocol):
    """Counts deeds. What is older than a day is forgotten."""

    async def record(self, deed: Deed, person: Person) -> None:
        """It was done now."""

    async def since(self, deed: Deed, begin: datetime, person: Person | None = None) -> Done:
        """How often it was done after `begin`, by a person or by all."""
