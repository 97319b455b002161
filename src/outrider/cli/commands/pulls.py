"""`outrider pulls`: the pull requests of this deployment."""

import asyncio
import json
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from outrider.cli.clean import clean_line
from outrider.cli.commands.sessions import ago
from outrider.cli.server import Servers
from outrider.cli.views import make_console
from outrider.model.repository import PullRequestState
from outrider.ports.clock import SystemClock
from outrider.settings import Settings


@click.command()
@click.option("--state", type=click.Choice([state.value for state in PullRequestState]), help="Only these.")
@click.option("--repo", help="Only of this repository, by its name.")
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
def pulls(state: str | None, repo: str | None, *, as_json: bool) -> None:
    """List pull requests, the newest first.

    \b
    outrider pulls --state open
    outrider pulls --repo shop --json | jq -r .url
    """
    rows = [
        row
        for row in asyncio.run(_fetch(Servers.of(Settings.read())))
        if state in (None, row["state"]) and repo in (None, row["repository"])
    ]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
    elif rows:
        draw(make_console(), rows, SystemClock().now())
    else:
        click.echo("No pull request is like that." if state or repo else "No pull requests yet.")


async def _fetch(servers: Servers) -> list[dict[str, Any]]:
    async with servers.reach() as client:
        rows: list[dict[str, Any]] = (await client.ask("GET", "/api/pull-requests"))["pull_requests"]
        return rows


def draw(console: Console, rows: list[dict[str, Any]], now: datetime) -> None:
    """The list as a table."""
    table = Table(box=None, pad_edge=False, header_style="dim", expand=True)
    for name in ("pull request", "state"):
        table.add_column(name, no_wrap=True)
    table.add_column("title", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("session", no_wrap=True)
    table.add_column("opened", no_wrap=True, justify="right")
    for row in rows:
        name = f"{clean_line(row['repository'])}#{row['number']}"
        opened = ago(now - datetime.fromisoformat(row["opened_at"]))
        cells = [name, row["state"], clean_line(row["title"]), clean_line(row["session"] or ""), opened]
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)
