"""`outrider limits`: what people may do here, and how much of it is used."""

import asyncio
import json
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from outrider.cli import words
from outrider.cli.server import Servers
from outrider.cli.views import make_list_console
from outrider.settings import Settings

GROUPS = {
    "deployment": "all people together",
    "person": "you",
    "session": "a session",
    "tree": "a session and those below it",
    "prompt": "a prompt",
    "sandbox": "a sandbox",
}
WITH_SETTINGS = 90
"""Columns from which the settings stand beside the limits, and not below them."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
def limits(*, as_json: bool) -> None:
    """Say what is in force here: every limit, its value, and how much is used now.

    Whoever runs the server changes a limit by the variable beside it, and starts the server again.

    \b
    outrider limits
    OUTRIDER_LIMIT_PERSON_SESSIONS_PER_HOUR=20 outrider up
    """
    rows = asyncio.run(_fetch(Servers.of(Settings.read())))
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
    else:
        show(make_list_console(), rows)


async def _fetch(servers: Servers) -> list[dict[str, Any]]:
    async with servers.reach() as client:
        rows: list[dict[str, Any]] = (await client.ask("GET", "/api/limits"))["limits"]
        return rows


def show(console: Console, rows: list[dict[str, Any]]) -> None:
    """One table, a group for each of whom a limit is for."""
    wide = console.width >= WITH_SETTINGS
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("limit")
    table.add_column("used", no_wrap=True, justify="right")
    table.add_column("of", no_wrap=True, justify="right")
    if wide:
        table.add_column("setting", style="dim", no_wrap=True)
    for per, name in GROUPS.items():
        group = [row for row in rows if row["per"] == per]
        if group:
            table.add_row(Text(name, style="bold"))
        for row in group:
            _add(table, row, wide=wide)
    console.print(table)


def _add(table: Table, row: dict[str, Any], *, wide: bool) -> None:
    value, used, unit = row["value"], row["used"], row["unit"]
    full = value is not None and used is not None and used >= value
    what = Text(f"  {row['what']}")
    if not wide:
        what.append(f"\n  {row['setting']}", style="dim")
    table.add_row(
        what,
        Text("" if used is None else words.amount(used, unit), style="yellow" if full else ""),
        "no limit" if value is None else words.amount(value, unit),
        *([row["setting"]] if wide else []),
    )
