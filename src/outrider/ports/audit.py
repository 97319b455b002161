"""The audit log: what was let out of a sandbox and what was refused."""

from typing import Protocol


class Audit(Protocol):
    """Append only."""

    async def record(self, owner: str, action: str, target: str, *, allowed: bool, why: str) -> None:
        """One decision. `owner` is the session's or proof's id, `target` what was asked for, never a secret."""
