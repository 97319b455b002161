"""Run the host's own tools while an image is built, telling what they say as they say it."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from outrider.model.errors import SandboxError

Progress = Callable[[str], None]
"""Takes one plain line at a time, for people to read."""

PROGRAMS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

BUILD_SECONDS = 1200.0
"""Measured 30 s for the base image with a near mirror; a slow line may take much longer."""

LINE_BYTES = 1 << 20
"""Longest line read from a tool."""


async def run_command(
    argv: Sequence[str], what: str, say: Progress, *, environment: Mapping[str, str], folder: Path
) -> None:
    """Run to the end with only `environment` and a standard PATH. Cancelling it ends what was started. Raises
    SandboxError, beginning with `what`, with the last lines."""
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={"PATH": PROGRAMS, "LANG": "C.UTF-8", **environment}, cwd=folder, limit=LINE_BYTES,
    )  # fmt: skip
    last: deque[str] = deque(maxlen=8)
    try:
        async with asyncio.timeout(BUILD_SECONDS):
            assert process.stdout is not None
            async for raw in process.stdout:
                last.append(raw.decode(errors="replace").rstrip())
                say(last[-1])
            if await process.wait():
                raise SandboxError(f"{what}: {' / '.join(last)}", "Check the network and the disk, and run it again.")
    except TimeoutError:
        raise SandboxError(f"{what}: it took longer than {BUILD_SECONDS:.0f} s.", "Check the network.") from None
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
