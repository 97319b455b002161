"""`outrider sessions`: the list."""

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import click
from rich.console import Console
from rich.text import Text

from outrider.cli import words
from outrider.cli.clean import clean_line
from outrider.cli.layout import is_narrow, make_table, stack
from outrider.cli.server import Servers
from outrider.cli.views import make_list_console
from outrider.model.proof import ProofVerdict
from outrider.ports.clock import SystemClock
from outrider.settings import Settings

STATES = ("waiting", "waking", "running", "stopping", "idle", "asleep", "archived")


@click.command()
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 500), help="How many.")
@click.option("--state", multiple=True, type=click.Choice(STATES), help="Only these; several are either.")
@click.option("--all", "everything", is_flag=True, help="Archived ones too.")
@click.option("--repo", help="Only of this repository, by its name.")
@click.option("--person", help="Only those that this person began, by name.")
@click.option("--text", help="Only those that have these words in their title, or in which they were asked or said.")
@click.option("--tree", is_flag=True, help="Each below the session that started it.")
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
def sessions(limit: int, state: tuple[str, ...], *, as_json: bool, **only: Any) -> None:
    """List sessions: pinned ones first (marked with *), then the newest change first. Archived ones are left out.

    \b
    outrider sessions --repo shop --state running --state stopping
    outrider sessions --state archived --text "coupon"
    outrider sessions --tree
    outrider sessions --json | head -1
    """
    states = STATES if only["everything"] else state
    given = {"repository": only["repo"], "person": only["person"], "text": only["text"]}
    query = [("limit", str(limit)), *(("state", one) for one in states), *(item for item in given.items() if item[1])]
    rows = asyncio.run(_fetch(Servers.of(Settings.read()), urlencode(query)))
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
    elif rows:
        draw(make_list_console(), below_parents(rows) if only["tree"] else rows, SystemClock().now())
    elif state or any(given.values()):
        click.echo("No session is like that. `outrider sessions --all` lists every one.")
    else:
        click.echo('No sessions yet. Start one: outrider run "PROMPT" --repo PATH_OR_URL')


async def _fetch(servers: Servers, query: str) -> list[dict[str, Any]]:
    async with servers.reach() as client:
        rows: list[dict[str, Any]] = (await client.ask("GET", f"/api/sessions?{query}"))["sessions"]
        return rows


def draw(console: Console, rows: list[dict[str, Any]], now: datetime) -> None:
    """The list as a table, without what does not fit; in a narrow terminal two lines a session."""
    if is_narrow(console):
        for row in rows:
            stack(console, [row["id"], row["status"], _pull_request(row), _changed(row, now)], _title(row))
        return
    wide = console.width >= 90
    table = make_table(console)
    table.add_column("id", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("title", ratio=1, no_wrap=True, overflow="ellipsis")
    if wide:
        table.add_column("repository", no_wrap=True)
        table.add_column("evidence", no_wrap=True)
    table.add_column("pull request", no_wrap=True, justify="right")
    table.add_column("changed", no_wrap=True, justify="right")
    for row in rows:
        middle = [row["repository"], _verdict(row["verdict"])] if wide else []
        cells = [row["id"], row["status"], _title(row), *middle, _pull_request(row), _changed(row, now)]
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)


def below_parents(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each session behind the one that started it, where that is in the list, its title further in."""
    ids = {row["id"] for row in rows}

    def below(parent: str | None, depth: int) -> Iterator[dict[str, Any]]:
        for row in rows:
            if (row.get("parent") if row.get("parent") in ids else None) == parent:
                yield {**row, "title": f"{'  ' * (depth - 1)}{'└ ' if depth else ''}{row['title']}"}
                yield from below(row["id"], depth + 1)

    return list(below(None, 0))


def ago(past: timedelta) -> str:
    """How long it is since, in one number."""
    seconds = max(int(past.total_seconds()), 0)
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return "just now"


def _changed(row: dict[str, Any], now: datetime) -> str:
    return ago(now - datetime.fromisoformat(row["updated_at"]))


def _title(row: dict[str, Any]) -> str:
    return f"* {clean_line(row['title'])}" if row.get("pinned") else clean_line(row["title"])


def _verdict(verdict: str | None) -> str:
    return words.VERDICT[ProofVerdict(verdict)] if verdict else ""


def _pull_request(row: dict[str, Any]) -> str:
    return f"#{row['pull_request']} {row['pull_request_state'] or ''}".strip() if row["pull_request"] else ""
