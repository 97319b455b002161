"""`outrider pool`: the sandboxes that wait for sessions."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from outrider.cli.commands.sessions import ago
from outrider.cli.layout import is_narrow, make_table, stack
from outrider.cli.server import Servers
from outrider.cli.views import make_list_console
from outrider.cli.words import seconds
from outrider.model.pool import PoolReport, WarmView
from outrider.settings import Settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The whole report as one object.")
def pool(*, as_json: bool) -> None:
    """Say how warm the pool is, and how well it serves: sandboxes that wait for sessions, services up, engine primed.

    \b
    outrider pool
    outrider pool --json | jq .hit_rate
    """
    told = asyncio.run(_fetch(Servers.of(Settings.read())))
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        draw(make_list_console(), PoolReport.model_validate(told, strict=False))


async def _fetch(servers: Servers) -> dict[str, Any]:
    async with servers.reach() as client:
        return await client.ask("GET", "/api/pool")


def draw(console: Console, report: PoolReport) -> None:
    """The pool in a table and a few lines."""
    if report.most == 0:
        console.print("The pool is off. Set OUTRIDER_POOL_SANDBOXES to have warm sandboxes.")
        return
    if report.sandboxes and is_narrow(console):
        for row in report.sandboxes:
            stack(console, [_of(row)], f"{_state(row)}, {_since(row)}, {row.commit[:12]}")
    elif report.sandboxes:
        console.print(_table(console, report))
    else:
        console.print("No sandbox is warm. One is started for a repository that has an image and is in use.")
    for line in _lines(report):
        console.print(Text(line, style="dim"))


def _of(row: WarmView) -> str:
    return f"{row.repository} {row.branch}"


def _state(row: WarmView) -> str:
    return (f"held for {row.held_for}" if row.held_for else row.phase.value) + (", stale" if row.stale else "")


def _since(row: WarmView) -> str:
    return ago(timedelta(seconds=row.age_seconds))


def _table(console: Console, report: PoolReport) -> Table:
    wide = console.width >= 90
    table = make_table(console)
    table.add_column("repository", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("state", no_wrap=True)
    table.add_column("commit", no_wrap=True)
    if wide:
        table.add_column("model", no_wrap=True)
    table.add_column("since", no_wrap=True, justify="right")
    for row in report.sandboxes:
        cells = [_of(row), _state(row), row.commit[:12], *([row.model] if wide else []), _since(row)]
        table.add_row(*map(Text, cells))
    return table


def _lines(report: PoolReport) -> list[str]:
    counts = report.counts
    wanted = sum(report.targets.values())
    lines = [f"{len(report.sandboxes)} warm of {wanted} wanted, {report.most} at most."]
    if report.hit_rate is not None:
        asked = counts.hits + counts.missed
        lines.append(f"{counts.hits} of {asked} sessions got a warm sandbox ({report.hit_rate:.0%}).")
    lines += [f"{number} did not: {why}." for why, number in sorted(counts.misses.items(), key=lambda row: -row[1])]
    lines += [report.short] if report.short else []
    if counts.refill_seconds_median is not None:
        lines.append(f"A start takes {seconds(counts.refill_seconds_median)}.")
    if report.pressed:
        lines.append("Memory is short: the pool shrinks.")
    if report.last_failure:
        lines.append(f"The last start that failed: {report.last_failure}")
    return lines
