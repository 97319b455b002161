"""Our side of ACP: what an engine may tell and ask."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import acp.schema as wire
from pydantic import ValidationError

from outrider.engines.transport import STRAY_LINES_LIMIT
from outrider.engines.updates import KNOWN, UpdateParser
from outrider.model.errors import EngineError
from outrider.ports.engine import EngineListener


class Client:
    """What the engine may ask of us: only for permission."""

    def __init__(self, listener: EngineListener) -> None:
        self.listening = False
        """Whether updates are passed on: not while a session is loaded, which replays the old ones."""
        self.cancelled = False
        self.listener = listener
        self.thrown_away: set[str] = set()
        """Sessions of the engine of which nobody is to hear. They prime it: what they ask for is the primer's own."""
        self._parser = UpdateParser()
        self._asking: set[asyncio.Timeout] = set()
        self._unreadable = 0

    def notified(self, method: str, params: Any) -> None:
        """The engine sent a notification. Raises EngineError where too many cannot be read."""
        if method != "session/update" or not self.listening or _kind(params) not in KNOWN:
            return
        if params.get("sessionId") in self.thrown_away:
            return
        try:
            notification = wire.SessionNotification.model_validate(params)
            update = self._parser.update(notification)
        except ValidationError as error:
            self._unreadable += 1
            if self._unreadable > STRAY_LINES_LIMIT:
                raise EngineError(f"The engine sent {self._unreadable} updates that are not ACP.") from error
            return
        for told in (update, self._parser.plan(notification)):
            if told:
                self.listener.update(told)

    def cancel(self) -> None:
        """Answer what is asked, and what will be, with cancelled."""
        self.cancelled = True
        for scope in self._asking:
            scope.reschedule(0)

    async def request_permission(
        self, session_id: str, tool_call: wire.ToolCallUpdate, options: list[wire.PermissionOption], **_: Any
    ) -> wire.RequestPermissionResponse:
        """Ask the listener, and answer with an option that holds for this once."""
        if session_id in self.thrown_away:
            return _answer(_once(options, allowed=True))
        ask, shown = self._parser.ask(tool_call)
        if shown:
            self.listener.update(shown)
        try:
            async with asyncio.timeout(None) as scope:
                with self._asked(scope):
                    allowed = not self.cancelled and await self.listener.permission(ask)
        except TimeoutError:
            return _answer(None)
        return _answer(None if self.cancelled else _once(options, allowed=allowed))

    @contextmanager
    def _asked(self, scope: asyncio.Timeout) -> Iterator[None]:
        self._asking.add(scope)
        try:
            yield
        finally:
            self._asking.discard(scope)


def _kind(params: Any) -> str:
    """The kind of a session update that may be anything."""
    update = params.get("update") if isinstance(params, dict) else None
    return str(update.get("sessionUpdate")) if isinstance(update, dict) else ""


def _once(options: list[wire.PermissionOption], *, allowed: bool) -> wire.PermissionOption | None:
    """The option that holds for this once."""
    wanted = ("allow_once",) if allowed else ("reject_once", "reject_always")
    return next((option for option in options if option.kind in wanted), None)


def _answer(option: wire.PermissionOption | None) -> wire.RequestPermissionResponse:
    """The option chosen, or that the prompt was cancelled."""
    if option is None:
        return wire.RequestPermissionResponse(outcome=wire.DeniedOutcome(outcome="cancelled"))
    chosen = wire.AllowedOutcome(outcome="selected", option_id=option.option_id)
    return wire.RequestPermissionResponse(outcome=chosen)
