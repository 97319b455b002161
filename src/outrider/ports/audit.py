"""The audit log: what was let out of a sandbox and what was refused, and who allowed it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One decision."""

    at: datetime
    owner: str
    action: str
    target: str
    allowed: bool
    why: str


class Audit(Protocol):
    """Append only; the oldest entries of an owner that has very many are dropped."""

    async def record(self, owner: str, action: str, target: str, *, allowed: bool, why: str) -> None:
        """One decision. `owner` is the session's or proof's id, `target` what was asked for, never a secret."""

    async def recent(self, owner: str | None, limit: int) -> Sequence[AuditEntry]:
        """The newest decisions about one session, proof or image, or about all, newest first."""
