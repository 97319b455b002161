"""`outrider changes`: the files that a session has changed."""

import asyncio
import json
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from outrider.cli import words
from outrider.cli.clean import clean_line
from outrider.cli.server import Servers
from outrider.cli.views import make_console
from outrider.model.ids import SessionId
from outrider.settings import Settings

MARK = {"added": ("A", "green"), "changed": ("M", "yellow"), "deleted": ("D", "red")}


@click.command()
@click.argument("session", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="One object.")
def changes(session: str, *, as_json: bool) -> None:
    """List the files that differ from the commit that the session began at, committed or not. While a turn runs, it is
    as of a few seconds ago.

    \b
    outrider changes s-k4q7ab2xyz
    """
    found = asyncio.run(_fetch(Servers.of(Settings.read()), SessionId(session)))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    elif found and found["count"]:
        draw(make_console(), found)
    else:
        click.echo("Nothing is changed yet.")


async def _fetch(servers: Servers, session: SessionId) -> dict[str, Any] | None:
    async with servers.reach() as client:
        found: dict[str, Any] | None = (await client.ask("GET", f"/api/sessions/{session}/changes"))["changes"]
        return found


def draw(console: Console, found: dict[str, Any]) -> None:
    """A line a file, then all of them together."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True, justify="right")
    for file in found["files"]:
        mark, colour = MARK[file["kind"]]
        lines = "binary" if file["added"] is None else f"+{file['added']} -{file['deleted']}"
        table.add_row(Text(mark, style=colour), Text(clean_line(file["path"])), Text(lines, style="dim"))
    console.print(table)
    more = found["count"] - len(found["files"])
    left_out = f" ({more} more are not listed)" if more > 0 else ""
    files = words.count(found["count"], "file")
    console.print(f"{files}, +{found['added']} -{found['deleted']}{left_out}", style="dim")
