"""`outrider search`: find what was asked and said."""

import asyncio
import json
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import click
from rich.console import Console
from rich.text import Text

from outrider.cli.clean import clean_line, clean_part
from outrider.cli.commands.sessions import ago
from outrider.cli.layout import Hanging, beside
from outrider.cli.server import Servers
from outrider.cli.views import make_list_console
from outrider.ports.clock import SystemClock
from outrider.settings import Settings

WHERE = {"title": "in the title", "prompt": "asked", "message": "said", "pull_request": "in a pull request"}


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 100), help="How many, best first.")
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
def search(words: tuple[str, ...], limit: int, *, as_json: bool) -> None:
    """Find what people asked and agents said, in all sessions. All the words must be there; the last one may be the
    beginning of a word.

    \b
    outrider search discount coup
    outrider attach SESSION
    """
    hits = asyncio.run(_fetch(Servers.of(Settings.read()), " ".join(words), limit))
    if as_json:
        for hit in hits:
            click.echo(json.dumps(hit, ensure_ascii=False))
    elif hits:
        draw(make_list_console(), hits, SystemClock().now())
    else:
        click.echo("Nothing was found. Fewer words find more.")


async def _fetch(servers: Servers, words: str, limit: int) -> list[dict[str, Any]]:
    query = {"q": words, "limit": limit}
    async with servers.reach() as client:
        hits: list[dict[str, Any]] = (await client.ask("GET", f"/api/search?{urlencode(query)}"))["hits"]
        return hits


def draw(console: Console, hits: list[dict[str, Any]], now: datetime) -> None:
    """Each find: where, and the words in their place."""
    for hit in hits:
        when = ago(now - datetime.fromisoformat(hit["at"]))
        console.print(Hanging(Text(f"{hit['session']}  ", "bold"), Text(clean_line(hit["title"]), "bold")))
        snippet = Text()
        for part in hit["snippet"]:
            snippet.append(clean_part(part["text"]), style="bold underline" if part["hit"] else "")
        console.print(beside("", snippet))
        console.print(beside("", Text(f"{WHERE[hit['kind']]}, {when}, {clean_line(hit['repository'])}", "dim")))
