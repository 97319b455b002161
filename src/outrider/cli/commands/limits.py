"""`outrider limits`: what people may do here, and how much of it is used."""

import asyncio
import json
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from outrider.cli.server import Servers
from outrider.cli.views import make_console
from outrider.settings import Settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
def limits(*, as_json: bool) -> None:
    """Say what people may do here: every limit, its value, and how much is used now.

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
        make_console().print(_table(rows))


async def _fetch(servers: Servers) -> list[dict[str, Any]]:
    async with servers.reach() as client:
        rows: list[dict[str, Any]] = (await client.ask("GET", "/api/limits"))["limits"]
        return rows


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("limit")
    table.add_column("per", no_wrap=True)
    table.add_column("used", no_wrap=True, justify="right")
    table.add_column("of", no_wrap=True, justify="right")
    table.add_column("setting", style="dim")
    for row in rows:
        used = "" if row["used"] is None else f"{row['used']:,}"
        value = "no limit" if row["value"] is None else f"{row['value']:,}"
        full = row["value"] is not None and row["used"] is not None and row["used"] >= row["value"]
        mark = Text(used, style="yellow" if full else "")
        table.add_row(row["what"], row["per"], mark, value, row["setting"])
    return table
