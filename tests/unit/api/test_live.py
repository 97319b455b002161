"""Answers without an end."""

import asyncio
from collections.abc import AsyncIterator

from starlette.types import Message

from outrider.api.live import LiveResponse


async def test_what_waits_for_news_ends_when_its_client_goes() -> None:
    told, gone, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def news() -> AsyncIterator[bytes]:
        try:
            yield b"{}\n"
            await asyncio.Event().wait()  # no more news, ever
        finally:
            ended.set()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message.get("body"):
            told.set()

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        answer = tasks.create_task(LiveResponse(news())({"type": "http"}, receive, send), name="answer")
        await told.wait()
        assert not answer.done()
        gone.set()
    assert ended.is_set()


async def test_news_that_end_end_the_answer() -> None:
    sent: list[bytes] = []

    async def news() -> AsyncIterator[bytes]:
        yield b"one\n"

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message.get("body", b""))

    async with asyncio.timeout(5):
        await LiveResponse(news())({"type": "http"}, receive, send)
    assert b"".join(sent) == b"one\n"
