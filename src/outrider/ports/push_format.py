"""How a code host tells of pushes: its headers, its signature, its words."""

from collections.abc import Mapping
from typing import Protocol

from outrider.model.push import Push


class PushFormat(Protocol):
    """One code host's. Headers are by lower-case name."""

    def speaks(self, headers: Mapping[str, str]) -> bool:
        """Whether a request is in this form."""

    def is_signed(self, headers: Mapping[str, str], body: bytes, secret: str) -> bool:
        """Whether whoever sent it knows the secret; compared in constant time."""

    def read(self, headers: Mapping[str, str], body: bytes) -> Push | None:
        """The push; None for an event of another kind. Raises BadRequest."""
