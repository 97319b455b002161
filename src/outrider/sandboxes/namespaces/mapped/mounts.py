"""Mount calls, and the root filesystem of a sandbox put together from layers."""

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path

from outrider.sandboxes.namespaces.mapped.userns import CLONE_NEWNS, check, unshare

MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000

STAGE = Path("/tmp")
"""Where the parts are put for bubblewrap, which wants absolute paths that the mapped root can walk. It is covered
by a tmpfs in this mount namespace only."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)


def mount(source: str, target: str | Path, kind: str, flags: int = 0, options: str = "") -> None:
    """mount(2). A relative source is taken from the working folder, which may lie below a folder closed to us."""
    result = _libc.mount(os.fsencode(source), os.fsencode(target), kind.encode(), flags, options.encode())
    check(result, f"mount {kind}")


def private_namespace() -> None:
    """A mount namespace whose changes nobody else sees."""
    unshare(CLONE_NEWNS, "mount namespace")
    mount("none", "/", "", MS_REC | MS_PRIVATE)


def overlay_options(layers: Sequence[str], box: str) -> str:
    """The option string; `layers` bottom first. `volatile` leaves out the flush of the whole disk at unmount: what a
    sandbox wrote survives every death of a process, but not for certain the loss of power in the next half minute."""
    lower = ":".join(f"layers/{layer}" for layer in reversed(layers))
    return f"lowerdir={lower},upperdir={box}/upper,workdir={box}/work,userxattr,volatile"


def stage(layers: Sequence[str], box: str, toolbox: str | None) -> None:
    """Put the merged root at STAGE/root, the toolbox at STAGE/toolbox, the sandbox's run folder at STAGE/run."""
    private_namespace()
    mount("tmpfs", STAGE, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=0755")
    for name in ("root", "toolbox", "run"):
        (STAGE / name).mkdir()
    mount("overlay", STAGE / "root", "overlay", 0, overlay_options(layers, box))
    mount(f"{box}/run", STAGE / "run", "", MS_BIND)
    if toolbox:
        mount(f"layers/{toolbox}", STAGE / "toolbox", "", MS_BIND)
