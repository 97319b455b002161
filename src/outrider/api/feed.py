"""A session's feed over one WebSocket: frames down as encoded bytes, commands of the client up.

Raw ASGI: the frames are encoded once for all clients, and a response object for each would cost a third again.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace

from pydantic import ValidationError
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send

from outrider.api.access import expect_role, expect_to_see
from outrider.api.auth import Login
from outrider.api.parts import Parts, authored, find_files, new_prompt
from outrider.api.problems import describe_invalid, status_of
from outrider.api.ready_frames import send_ready
from outrider.api.refusal import LONGEST_REASON, refuse
from outrider.model.commands import (
    Command,
    EditPrompt,
    MovePrompt,
    Once,
    PersonCommand,
    QueuePrompt,
    SteerNow,
    StopTurn,
    Typing,
    WithdrawPrompt,
)
from outrider.model.errors import OutriderError
from outrider.model.feed import (
    CLIENT_FRAME,
    LONGEST_REF,
    AcceptedFrame,
    ClientFrame,
    EditFrame,
    HereFrame,
    MoveFrame,
    PromptFrame,
    RefusedFrame,
    SteerFrame,
    StopFrame,
    TypingFrame,
    WithdrawFrame,
)
from outrider.model.ids import SessionId
from outrider.model.limits import FIXED, limit_reached
from outrider.model.person import Person
from outrider.session.keys import known_prompt
from outrider.session.presence import Watcher

MAX_FRAME_BYTES = 512 * 1024
"""Longest message of a client."""

LONG_TEXT = "Put long text into a file of the repository and name that file."

KIND = re.compile(r"[a-z]{1,20}")
"""What a client says that it is."""

CLOSE_GONE = 4404
CLOSE_RESYNC = 4409


class Feed:
    """ASGI application of `/api/sessions/{session}/feed`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one client until either side has enough."""
        connection = HTTPConnection(scope)
        parts, login = connection.app.state.parts, scope["state"]["login"]
        session = SessionId(connection.path_params["session"])
        after = _after(connection.query_params.get("after"))
        kind = connection.query_params.get("client", "")
        watcher = Watcher(login.person, kind if KIND.fullmatch(kind) else "program", login.account.guest)
        accepted = False
        await receive()
        try:
            await expect_to_see(parts, login, session)
            async with parts.registry.attach(session, after, watcher, send_ready(scope)) as frames:
                await send({"type": "websocket.accept"})
                accepted = True
                await Client(parts, login, session, watcher, send).serve(frames, receive)
        except OutriderError as error:
            if accepted:
                await send({"type": "websocket.close", "code": CLOSE_GONE, "reason": error.sentence[:LONGEST_REASON]})
            else:
                await refuse(scope, send, status_of(error), error.sentence, error.remedy)


def _message(frame: bytes) -> Message:
    return {"type": "websocket.send", "text": frame.decode()}


class Client:
    """One attached client."""

    def __init__(self, parts: Parts, login: Login, session: SessionId, watcher: Watcher, send: Send) -> None:
        self._parts = parts
        self._login = login
        self._session = session
        self._watcher = watcher
        self._send = send

    async def serve(self, frames: AsyncIterator[bytes], receive: Receive) -> None:
        """Send frames and take commands until the client leaves or must attach again."""
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(self._pump(frames), name=f"feed-{self._session}")
            try:
                await self._listen(receive, sending)
            finally:
                sending.cancel()

    async def _pump(self, frames: AsyncIterator[bytes]) -> None:
        async for frame in frames:
            await self._send(_message(frame))
        await self._send({"type": "websocket.close", "code": CLOSE_RESYNC, "reason": "Attach again."})

    async def _listen(self, receive: Receive, sending: asyncio.Task[None]) -> None:
        while not sending.done():
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            answer = await self._answer(message)
            await self._send({"type": "websocket.send", "text": answer.model_dump_json()})

    async def _answer(self, message: Message) -> AcceptedFrame | RefusedFrame:
        text = message.get("text") or ""
        if len(text) > MAX_FRAME_BYTES:
            sentence = f"The message is too long; {MAX_FRAME_BYTES // 1024} kB are the most."
            error = limit_reached(sentence, LONG_TEXT, FIXED)
            return RefusedFrame(ref="", sentence=error.sentence, remedy=error.remedy)
        try:
            frame: ClientFrame = CLIENT_FRAME.validate_json(text)
        except ValidationError as error:
            return RefusedFrame(ref=_ref(text), sentence=_describe(error))
        try:
            return await self._carry_out(frame)
        except OutriderError as error:
            return RefusedFrame(ref=frame.ref, sentence=error.sentence, remedy=error.remedy)

    async def _carry_out(self, frame: ClientFrame) -> AcceptedFrame:
        by = self._login.person
        match frame:
            case PromptFrame(text=text, key=key, attachments=files):
                prompt = await new_prompt(self._parts, authored(self._login), text, key, files)
                seq = await self._ask(QueuePrompt(prompt))
                queued = known_prompt(await self._parts.registry.state(self._session), prompt)
                return AcceptedFrame(ref=frame.ref, seq=seq, prompt=queued)
            case HereFrame(typing=typing):
                if typing:
                    await expect_role(self._parts, self._login, self._session, "prompter")
                self._watcher.types(typing=typing)
                return AcceptedFrame(ref=frame.ref, seq=0)
            case TypingFrame():
                command: Command = Typing(by, self._parts.clock.now())
            case _:
                asked = _asked(frame, by)
                if isinstance(frame, EditFrame) and isinstance(asked, EditPrompt) and frame.attachments is not None:
                    asked = replace(asked, attachments=await find_files(self._parts, frame.attachments))
                command = asked if frame.key is None else Once(frame.key, asked)
        return AcceptedFrame(ref=frame.ref, seq=await self._ask(command))

    async def _ask(self, command: Command) -> int:
        return await self._parts.registry.ask(self._session, command, self._login.caller)


def _asked(frame: WithdrawFrame | MoveFrame | EditFrame | SteerFrame | StopFrame, by: Person) -> PersonCommand:
    match frame:
        case WithdrawFrame(prompt=wanted):
            return WithdrawPrompt(wanted, by)
        case MoveFrame(prompt=wanted, position=position):
            return MovePrompt(wanted, position, by)
        case EditFrame(prompt=wanted, revision=revision, text=text):
            return EditPrompt(wanted, revision, text, by)
        case SteerFrame(prompt=wanted):
            return SteerNow(wanted, by)
        case StopFrame(children=children):
            return StopTurn(by, children=children)


def _after(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 16 else 0


def _ref(text: str) -> str:
    """The `ref` of a message that is no valid command: its client waits for the answer all the same."""
    try:
        ref = json.loads(text).get("ref")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return ref if isinstance(ref, str) and len(ref) <= LONGEST_REF else ""


def _describe(error: ValidationError) -> str:
    """What does not fit, without the name of the union's member that the path begins with."""
    errors = [{**one, "loc": one["loc"][1:] or one["loc"]} for one in error.errors()]
    return describe_invalid(errors)
