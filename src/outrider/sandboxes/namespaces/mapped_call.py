"""Call the helper program that works inside the user namespace, and say its failures in plain sentences."""

import asyncio
import errno
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import outrider
from outrider.cleanup import to_its_end
from outrider.model.errors import SandboxError
from outrider.sandboxes.namespaces.ids import HostIds

SOURCES = str(Path(outrider.__file__).resolve().parents[1])

BOOT = f"""\
import sys
from collections.abc import Sequence
sys.path.insert(0, {SOURCES!r})
from outrider.sandboxes.namespaces.mapped.main import main
main()
"""

PROGRAMS = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
"""Where the machine's own programs are looked for; a person's PATH has no say."""

CHUNK_BYTES = 1 << 18
"""How much of a stream is handed on at once."""

CALL_SECONDS = 900.0
"""Longest call: unpacking or deleting a layer of many gigabytes on a slow disk."""

END_SECONDS = 5.0
"""How long a helper that was told to end may take where nobody waits for it any more."""

USERNS_REMEDY = (
    "Allow them: sudo sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000; on Ubuntu 24.04 "
    "also kernel.apparmor_restrict_unprivileged_userns=0 or an AppArmor profile for bwrap."
)

_FORBIDDEN = ("setting up uid map", "No permissions to create", "max_*_namespaces exceeded")
"""Bubblewrap's words for the same."""


@dataclass(frozen=True, slots=True)
class MappedCalls:
    """The helper program over one guest folder and one range of ids."""

    guest: Path
    ids: HostIds

    async def __call__(self, operation: str, *, inherit: Sequence[int] = (), **request: object) -> dict[str, Any]:
        """Do one operation in a process of its own, which inherits these descriptors. Cancelling it kills what it
        started. Raises SandboxError."""
        whole = {"operation": operation, "guest": str(self.guest), "ids": self.ids.as_request(), **request}
        process = await self._start(inherit)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                output, errors = await process.communicate(json.dumps(whole).encode())
        except BaseException:
            if process.returncode is None:
                process.terminate()
                await to_its_end(process.wait(), seconds=END_SECONDS)
            raise
        return _answer(operation, output, errors)

    async def stream(self, operation: str, **request: object) -> AsyncGenerator[bytes, None]:
        """An operation whose output is data: the helper waits for the reader. To leave early kills it. Raises
        SandboxError, also after the last piece."""
        whole = {"operation": operation, "guest": str(self.guest), "ids": self.ids.as_request(), **request}
        process = await self._start(())
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            process.stdin.write(json.dumps(whole).encode())
            process.stdin.close()
            while chunk := await process.stdout.read(CHUNK_BYTES):
                yield chunk
            answer = await process.stderr.read()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        _answer(operation, answer, answer)

    async def _start(self, inherit: Sequence[int]) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", "-c", BOOT,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={"PATH": PROGRAMS}, start_new_session=True, pass_fds=inherit,
        )  # fmt: skip


def require_programs(ids: HostIds, path: str = PROGRAMS) -> str:
    """The path of bubblewrap. Raises SandboxError with the line to run for what is missing."""
    wanted = {"bwrap": "bubblewrap"} | ({"newuidmap": "uidmap", "newgidmap": "uidmap"} if ids.tools else {})
    for program, package in wanted.items():
        if not shutil.which(program, path=path):
            raise SandboxError(f"{program} is not installed.", f"Run: sudo apt-get install -y {package}")
    return str(shutil.which("bwrap", path=path))


def _answer(operation: str, output: bytes, errors: bytes) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = json.loads(output)
    except ValueError:
        told = errors.decode(errors="replace").strip().splitlines()
        raise SandboxError(
            f"The sandbox helper ended early in {operation}: {told[-1] if told else 'no word'}."
        ) from None
    if "failed" in answer:
        raise explain(str(answer["failed"]), int(answer["errno"]), str(answer["detail"]))
    return answer


def explain(step: str, number: int, detail: str) -> SandboxError:
    """What a failed step means to a person, and what to do about it."""
    known = {
        "user namespace": ("This machine does not allow user namespaces", USERNS_REMEDY),
        "newuidmap": ("The map of user ids was refused", "Check that /etc/subuid and /etc/subgid give you 65536 ids."),
        "newgidmap": ("The map of group ids was refused", "Check that /etc/subuid and /etc/subgid give you 65536 ids."),
        "overlay": ("This file system cannot carry an overlay", "Put the state folder on ext4, xfs or btrfs."),
        "mount overlay": ("The sandbox's root could not be mounted", ""),
    }
    forbidden = step == "user namespace" or any(words in detail for words in _FORBIDDEN)
    # The kernel says ENOSPC for a namespace beyond the limit as well.
    if not forbidden and (number == errno.ENOSPC or "No space left" in detail):
        return SandboxError("The disk is full.", "Free some space where the state folder is.")
    sentence, remedy = known.get(step, (f"The sandbox could not be handled ({step})", ""))
    if forbidden:
        sentence, remedy = known["user namespace"]
    return SandboxError(f"{sentence}: {detail}.", remedy)
