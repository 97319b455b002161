"""Memory that was freed goes back to the system. The C library keeps what lies between things that are still used."""

import ctypes
from collections.abc import Callable
from functools import cache


def give_back() -> None:
    """Give back what whole pages of it there are; nothing where the C library has no such call. Some milliseconds:
    call it in a thread."""
    if trim := _trim():
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    """glibc's `malloc_trim`; musl and macOS have none."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
