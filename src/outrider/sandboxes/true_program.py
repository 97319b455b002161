"""A program that does nothing, for probes: there may be no base image yet, and the machine's own `true` needs
libraries."""

import platform
import struct

from outrider.model.errors import SandboxError

EXIT_0 = {
    "x86_64": (62, bytes.fromhex("b83c00000031ff0f05")),
    "aarch64": (183, bytes.fromhex("a80b8052000080d2010000d4")),
}
"""Machine and code of `exit(0)`."""


def true_program() -> bytes:
    """An executable that ends with 0 and needs no other file. Raises SandboxError on a processor unknown to us."""
    try:
        machine, code = EXIT_0[platform.machine()]
    except KeyError:
        raise SandboxError(f"Sandboxes do not run on this processor ({platform.machine()}).") from None
    header, base = 64 + 56, 0x400000
    size = header + len(code)
    elf = b"\x7fELF\x02\x01\x01" + bytes(9)
    elf += struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, base + header, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    elf += struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 0x1000)
    return elf + code
