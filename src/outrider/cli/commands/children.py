"""`outrider children`: what came of the sessions that one started."""

import asyncio
import json
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from outrider.cli import words
from outrider.cli.clean import clean_line
from outrider.cli.client import new_key
from outrider.cli.commands.run import read_prompt
from outrider.cli.follow import Exit
from outrider.cli.layout import is_narrow, make_table, stack
from outrider.cli.server import Servers
from outrider.cli.views import make_list_console
from outrider.model.ids import SessionId
from outrider.settings import Settings

LONGEST_WAIT = 600

STATES = {"requested": "starting", "refused": "not started", "checks_red": "checks are red"}
"""Where the word on the wire is not the one to read."""


class Children(click.Group):
    """Its options may come after the session's id as well, since `send` alone has some of its own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Leave what follows `send` to it."""
        ctx.allow_interspersed_args = "send" not in args
        return super().parse_args(ctx, args)


@click.group(cls=Children, invoke_without_command=True)
@click.argument("session", metavar="ID")
@click.option("--wait", default=0, type=click.IntRange(0, LONGEST_WAIT), help="Seconds to wait for them to rest.")
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
@click.pass_context
def children(ctx: click.Context, session: str, wait: int, *, as_json: bool) -> int:
    """List the sessions that one started, how each ended, and where its work is. The exit code is 1 while some work.

    \b
    outrider children s-k4q7ab2xyz
    outrider children s-k4q7ab2xyz --wait 300 && echo all rest
    outrider children s-k4q7ab2xyz send s-m2p9cd4uvw "Mention the new coupon too"
    """
    ctx.obj = session
    return Exit.DONE if ctx.invoked_subcommand else _list(session, wait, as_json=as_json)


@children.command()
@click.argument("child", metavar="CHILD")
@click.argument("text")
@click.option("--key", help="The same key again is the same prompt: nothing is sent twice.")
@click.pass_obj
def send(session: str, child: str, text: str, key: str | None) -> None:
    """Send a session that this one started another prompt, in its name: it hears what comes of it. `-` reads it from
    stdin. (What you send by `outrider attach CHILD` is yours alone: the parent does not hear of it.)

    \b
    outrider children s-k4q7ab2xyz send s-m2p9cd4uvw "Mention the new coupon too"
    """
    wanted = {"text": read_prompt(text), "key": key or new_key()}
    prompt = asyncio.run(_send(Servers.of(Settings.read()), session, child, wanted))
    click.echo(f"{prompt}\nFollow it: outrider attach {child}")


async def _send(servers: Servers, session: str, child: str, wanted: dict[str, Any]) -> str:
    async with servers.reach() as client:
        return str((await client.ask("POST", f"/api/sessions/{session}/children/{child}/prompts", wanted))["prompt"])


def _list(session: str, wait: int, *, as_json: bool) -> int:
    answer = asyncio.run(_fetch(Servers.of(Settings.read()), SessionId(session), wait))
    if as_json:
        for child in answer["children"]:
            click.echo(json.dumps(child, ensure_ascii=False))
    elif answer["children"]:
        draw(make_list_console(), answer["children"])
    else:
        click.echo("It has started no other session.")
    return Exit.FAILED if answer["working"] else Exit.DONE


async def _fetch(servers: Servers, session: SessionId, wait: int) -> dict[str, Any]:
    async with servers.reach() as client:
        return await client.ask("GET", f"/api/sessions/{session}/children?wait={wait}", timeout=wait + 30)


def draw(console: Console, rows: list[dict[str, Any]]) -> None:
    """A line each, and below it what came of it."""
    if is_narrow(console):
        for row in rows:
            stack(console, [row["session"], _state(row), _commits(row)], clean_line(row["title"]), *_came(row))
        return
    table = make_table(console)
    for name in ("id", "state"):
        table.add_column(name, no_wrap=True)
    table.add_column("title", ratio=1)
    table.add_column("commits", justify="right")
    for row in rows:
        title = Text(clean_line(row["title"]))
        for line in _came(row):
            title.append(f"\n{line}", style="dim")
        table.add_row(row["session"], _state(row), title, str((row["result"] or {}).get("commits", "")))
    console.print(table)


def _came(row: dict[str, Any]) -> list[str]:
    """What came of it, and where its work is."""
    result = row["result"] or {}
    said = row["refusal"] or result.get("summary", "")
    return [clean_line(line) for line in (said, result.get("pull_request") or result.get("branch")) if line]


def _state(row: dict[str, Any]) -> str:
    state = (row["result"] or {}).get("reason", row["state"]) if row["state"] == "resting" else row["state"]
    return STATES.get(state, str(state).replace("_", " "))


def _commits(row: dict[str, Any]) -> str:
    return words.count(row["result"]["commits"], "commit") if row["result"] else ""
