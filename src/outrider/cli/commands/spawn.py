"""`outrider spawn`: a session below another."""

import asyncio
from typing import Any

import click

from outrider.cli.client import new_key
from outrider.cli.server import Servers
from outrider.model.ids import SessionId
from outrider.settings import Settings


@click.command()
@click.argument("session", metavar="ID")
@click.argument("prompt")
@click.option("--repo", "repository", metavar="NAME", help="Another repository that is known here, by its name.")
@click.option("--branch", help="Where it begins.")
@click.option("--model", metavar="PROVIDER/NAME", help="Another model than the parent's.")
@click.option("--title", help="What it is called; else the prompt's first line.")
@click.option("--key", help="The same key again is the same session.")
def spawn(session: str, **wanted: str | None) -> None:
    """Start a session below another, as an agent does: it shares that one's budget and limits, and reaches no more.

    \b
    outrider spawn s-k4q7ab2xyz "Write the page about coupons" --repo docs
    """
    given = {name: value for name, value in wanted.items() if value is not None}
    given["key"] = wanted["key"] or new_key()
    child = asyncio.run(_spawn(Servers.of(Settings.read()), SessionId(session), given))
    click.echo(f"{child}\nFollow it: outrider attach {child}")


async def _spawn(servers: Servers, session: SessionId, wanted: dict[str, Any]) -> str:
    async with servers.reach() as client:
        return str((await client.ask("POST", f"/api/sessions/{session}/children", wanted))["session"])
