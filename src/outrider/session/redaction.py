"""Keeps known secrets out of everything that a guest or an engine says, before it is stored or shown."""

import dataclasses
import re
from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel

MARK = "[redacted]"

SHORTEST_SECRET = len(MARK)
"""Shorter values are not looked for: they would be found in innocent words, and the text must not grow beyond the
limits that it was parsed with. No vendor's key is that short."""

Value = TypeVar("Value")


class Redactor:
    """Replaces every known secret by a mark."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({secret for secret in secrets if len(secret) >= SHORTEST_SECRET}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, self._secrets))) if self._secrets else None

    def text(self, text: str) -> str:
        """The text without secrets."""
        return self._pattern.sub(MARK, text) if self._pattern else text

    def value(self, value: Value) -> Value:
        """A model, dataclass, tuple or string in which every string is without secrets."""
        if self._pattern is None:
            return value
        cleaned: Value = self._clean(value)
        return cleaned

    def stream(self) -> "RedactedStream":
        """For text that comes in pieces."""
        return RedactedStream(self)

    def open_end(self, text: str) -> int:
        """How many characters at the end may be the beginning of a secret."""
        longest = 0
        for secret in self._secrets:
            for length in range(min(len(secret) - 1, len(text)), longest, -1):
                if text.endswith(secret[:length]):
                    longest = length
                    break
        return longest

    def _clean(self, value: Any) -> Any:
        if type(value) is str:
            return self.text(value)
        if isinstance(value, tuple):
            return tuple(map(self._clean, value))
        if isinstance(value, BaseModel):
            fields = {name: self._clean(getattr(value, name)) for name in type(value).model_fields}
            return value.model_copy(update=fields)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            cleaned = {field.name: self._clean(getattr(value, field.name)) for field in dataclasses.fields(value)}
            return dataclasses.replace(value, **cleaned)
        return value


class RedactedStream:
    """Text in pieces: what may be the beginning of a secret is held back until it is known."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = ""

    def feed(self, piece: str) -> str:
        """What can be shown now."""
        text = self._redactor.text(self._held + piece)
        shown = len(text) - self._redactor.open_end(text)
        self._held = text[shown:]
        return text[:shown]

    def flush(self) -> str:
        """The rest, at the end of the message."""
        rest, self._held = self._held, ""
        return rest
