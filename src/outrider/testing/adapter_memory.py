"""How much memory an adapter needs while a lot passes through it: measured in a process that runs nothing else.

`python -m outrider.testing.adapter_memory HANDLE DIRECTION BYTES`, with a program on stdin that defines `make()`, a
provider. Prints a JSON object: `passed` and `code` as the guest has them, and `grown`, by how many bytes the peak grew.
"""

import asyncio
import json
import resource
import sys
from collections.abc import Callable
from typing import Any

from outrider.model.sandbox import WORKSPACE, SandboxHandle
from outrider.ports.sandbox import ExecSpec, Guest, SandboxProvider

BLOCK = bytes(1_000_000)


async def measure(
    make: Callable[[], SandboxProvider], handle: SandboxHandle, direction: str, size: int
) -> dict[str, int]:
    """Pass `size` bytes out of a sandbox or into it."""
    async with await make().connect(handle) as guest:
        before = _peak()
        passed, code = await (_out(guest, size) if direction == "out" else _in(guest, size))
        return {"passed": passed, "code": code, "grown": _peak() - before}


async def _out(guest: Guest, size: int) -> tuple[int, int]:
    process = await guest.start(ExecSpec(argv=["head", "-c", str(size), "/dev/zero"], cwd=WORKSPACE))
    taken = 0
    async for chunk in process.stdout():
        taken += len(chunk)
    return taken, await process.wait()


async def _in(guest: Guest, size: int) -> tuple[int, int]:
    process = await guest.start(ExecSpec(argv=["wc", "-c"], cwd=WORKSPACE))
    for _ in range(size // len(BLOCK)):
        await process.write(BLOCK)
    await process.close_stdin()
    counted = await anext(process.stdout())
    return int(counted), await process.wait()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """As a program."""
    handle, direction, size = sys.argv[1:]
    program: dict[str, Any] = {}
    exec(sys.stdin.read(), program)
    measured = asyncio.run(measure(program["make"], SandboxHandle.model_validate_json(handle), direction, int(size)))
    sys.stdout.write(json.dumps(measured))


if __name__ == "__main__":
    main()
