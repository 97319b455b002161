"""Keeps known secrets out of everything that is stored or shown."""

from collections.abc import Sequence


class Redactor:
    """Replaces every known secret value by `[redacted]`."""

    def __init__(self, secrets: Sequence[str]) -> None: ...
