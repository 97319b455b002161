"""Connect to a Unix socket that lies in a folder which a guest may write to, however deep the folder is."""

import asyncio
import os
import socket
import stat
from pathlib import Path

from outrider.model.errors import SandboxLost

ATTEMPTS = 200
RETRY_SECONDS = 0.01
"""Together 2 s: the listener has bound its socket before it opens it to others and before it listens, and its backlog
may be full for a moment."""


async def connect_socket(path: Path) -> socket.socket:
    """A connected stream. Raises SandboxLost where nobody listens or where the path is not a socket."""
    for _ in range(ATTEMPTS):
        try:
            return await _connect_once(path)
        except (ConnectionRefusedError, PermissionError, BlockingIOError):
            await asyncio.sleep(RETRY_SECONDS)
        except OSError as error:
            raise SandboxLost(f"The sandbox cannot be reached: {error.strerror}.") from error
    raise SandboxLost("The sandbox cannot be reached: nothing answers in it.")


async def _connect_once(path: Path) -> socket.socket:
    # Opened without following a link and connected through its descriptor: what stands there cannot be exchanged for
    # a socket of the host in between, and the name may be longer than the 107 bytes of a socket address.
    fd = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if not stat.S_ISSOCK(os.fstat(fd).st_mode):
            raise SandboxLost("The sandbox cannot be reached: its socket was replaced.")
        stream.setblocking(False)
        await asyncio.get_running_loop().sock_connect(stream, f"/proc/self/fd/{fd}")
    except BaseException:
        stream.close()
        raise
    finally:
        os.close(fd)
    return stream
