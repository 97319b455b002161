"""The answers of an engine, with every way in which it can fail turned into an error of ours."""

import asyncio
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

import acp
from pydantic import ValidationError

from outrider.engines.transport import ProcessTransport
from outrider.model.errors import EngineError, SandboxError, SandboxLost, TurnFailed
from outrider.ports.sandbox import ExecSpec, Guest, Process

STDERR_TAIL_BYTES = 2_000
"""How much of what an engine last said on stderr goes into an error."""

_T = TypeVar("_T")


class Answers:
    """What one engine process answers."""

    def __init__(self, name: str, guest: Guest, process: Process, transport: ProcessTransport, stderr: str) -> None:
        """`stderr` is the file in the guest that holds what the engine says there."""
        self._name = name
        self._guest = guest
        self._process = process
        self._transport = transport
        self._stderr = stderr

    async def within(self, seconds: float, what: str, call: Coroutine[Any, Any, _T]) -> _T:
        """The answer to a call, in so much time. `what` completes “did not …”. Raises as `to`."""
        try:
            async with asyncio.timeout(seconds):
                return await self.to(call)
        except TimeoutError:
            raise await self._failed(f"The engine {self._name} did not {what} within {seconds:g} s.") from None

    async def to(self, call: Coroutine[Any, Any, _T]) -> _T:
        """The answer to a call. Raises TurnFailed where the engine refuses, EngineError where it is dead or does not
        speak ACP, SandboxLost."""
        try:
            return await call
        except acp.RequestError as error:
            raise TurnFailed(str(error).removeprefix("Internal error: ")) from error
        except ValidationError as error:
            raise await self._failed(f"The engine {self._name} gave an answer that is not ACP.") from error
        except SandboxLost:
            raise
        except (ConnectionError, SandboxError) as error:
            await self._ended(error)

    async def _ended(self, error: Exception) -> NoReturn:
        """Say why nothing more comes from the engine."""
        if isinstance(self._transport.broken, SandboxLost):
            raise self._transport.broken from error
        if self._transport.broken:
            raise await self._failed(self._transport.broken.sentence) from error
        code = await self._process.wait()
        raise await self._failed(f"The engine {self._name} ended with exit code {code}.") from error

    async def _failed(self, sentence: str) -> EngineError:
        tail = ExecSpec(argv=("tail", "-c", str(STDERR_TAIL_BYTES), self._stderr), cwd="/")
        said = (await self._guest.run(tail, timeout_seconds=5)).output.decode(errors="replace").strip()
        return EngineError(f"{sentence} It last said: {said}" if said else sentence)
