"""The sessions that one started, as far as a stop of it concerns them."""

import asyncio
import sys

import click

from outrider.cli import words
from outrider.cli.client import Client
from outrider.model.errors import NotAllowed
from outrider.model.ids import SessionId

AT_WORK = ("requested", "working")


async def children_at_work(client: Client, session: SessionId) -> int:
    """How many of the sessions that it started are at work. None where the person may not know: a guest of a session
    sees that one and not what belongs with it."""
    try:
        children = (await client.ask("GET", f"/api/sessions/{session}/children"))["children"]
    except NotAllowed:
        return 0
    return sum(child["state"] in AT_WORK for child in children)


async def offer_children(client: Client, session: SessionId, children: bool | None) -> str:
    """Once the session itself was stopped: stop what it started too, where the person says so; None asks them, on a
    terminal. What is to be said then; empty where none works."""
    at_work = await children_at_work(client, session)
    if not at_work:
        return ""
    if children is None and sys.stdin.isatty():
        children = await asyncio.to_thread(_ask, at_work)
    if children:
        await client.stop(session, children=True)
        return f"Stopping {_them(at_work)} too."
    return f"{still_work(at_work)} To stop {_them(at_work)}: outrider stop {session} --children"


def still_work(number: int) -> str:
    """That so many are at work."""
    return f"{words.count(number, 'session')} that it started still {'works' if number == 1 else 'work'}."


def _ask(at_work: int) -> bool:
    return click.confirm(f"{still_work(at_work)} Stop {_them(at_work)} too?", err=True)


def _them(number: int) -> str:
    return "it" if number == 1 else "them"
