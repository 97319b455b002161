"""`outrider children`: what came of the sessions that one started."""

import asyncio
import json
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from outrider.cli.clean import clean_line
from outrider.cli.follow import Exit
from outrider.cli.server import Servers
from outrider.cli.views import make_console
from outrider.model.ids import SessionId
from outrider.settings import Settings

LONGEST_WAIT = 600


@click.command()
@click.argument("session", metavar="ID")
@click.option("--wait", default=0, type=click.IntRange(0, LONGEST_WAIT), help="Seconds to wait for them to rest.")
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
def children(session: str, wait: int, *, as_json: bool) -> int:
    """List the sessions that one started, how each ended, and where its work is. The exit code is 1 while some work.

    \b
    outrider children s-k4q7ab2xyz
    outrider children s-k4q7ab2xyz --wait 300 && echo all rest
    """
    answer = asyncio.run(_fetch(Servers.of(Settings.read()), SessionId(session), wait))
    if as_json:
        for child in answer["children"]:
            click.echo(json.dumps(child, ensure_ascii=False))
    elif answer["children"]:
        draw(make_console(), answer["children"])
    else:
        click.echo("It has started no other session.")
    return Exit.FAILED if answer["working"] else Exit.DONE


async def _fetch(servers: Servers, session: SessionId, wait: int) -> dict[str, Any]:
    async with servers.reach() as client:
        return await client.ask("GET", f"/api/sessions/{session}/children?wait={wait}", timeout=wait + 30)


def draw(console: Console, rows: list[dict[str, Any]]) -> None:
    """A line each, and below it what came of it."""
    table = Table(box=None, pad_edge=False, header_style="dim", expand=True)
    for name in ("id", "state"):
        table.add_column(name, no_wrap=True)
    table.add_column("title", ratio=1)
    table.add_column("commits", justify="right")
    for row in rows:
        result = row["result"] or {}
        said = row["refusal"] or result.get("summary", "")
        links = result.get("pull_request") or result.get("branch") or ""
        title = Text(clean_line(row["title"]))
        for line in filter(None, (said, links)):
            title.append(f"\n{clean_line(line)}", style="dim")
        state = result.get("reason", row["state"]) if row["state"] == "resting" else row["state"]
        table.add_row(row["session"], state, title, str(result.get("commits", "")))
    console.print(table)
