"""`outrider egress`: what sandboxes reach, what they were refused, and what people allow them."""

import asyncio
import json
from datetime import datetime
from typing import Any
from urllib.parse import quote

import click
from rich.table import Table
from rich.text import Text

from outrider.cli.clean import clean_line
from outrider.cli.commands.sessions import ago
from outrider.cli.server import Servers
from outrider.cli.views import make_console
from outrider.ports.clock import SystemClock
from outrider.settings import Settings


@click.group()
def egress() -> None:
    """See and allow the hosts that sandboxes reach.

    A sandbox reaches the package registries, what the operator allows in OUTRIDER_ALLOWED_HOSTS, and what people allow
    here. What it was refused is in the log.

    \b
    outrider egress log
    outrider egress allow api.example.com --session s-k4q7ab2xyz
    outrider egress forbid api.example.com --session s-k4q7ab2xyz
    outrider egress allow .cdn.example.com --repo shop
    """


@egress.command()
@click.argument("host")
@click.option("--session", metavar="ID", help="To this session alone.")
@click.option("--repo", metavar="NAME", help="To every sandbox of this repository.")
def allow(host: str, session: str | None, repo: str | None) -> None:
    """Allow a host, from the next connection on: example.com, .example.com for all below it, or HOST:PORT."""
    asyncio.run(_ask("POST", _whose(session, repo), {"host": host}))
    click.echo(f"{host} may be reached from {session or repo} now.")


@egress.command()
@click.argument("host")
@click.option("--session", metavar="ID", help="The session that it was allowed to.")
@click.option("--repo", metavar="NAME", help="The repository whose list it is on.")
def forbid(host: str, session: str | None, repo: str | None) -> None:
    """Take a host back, from the next connection on. What is open already goes on."""
    asyncio.run(_ask("DELETE", f"{_whose(session, repo)}/{quote(host)}"))
    click.echo(f"{host} may not be reached from {session or repo} any more.")


@egress.command(name="list")
@click.option("--session", metavar="ID", help="Of one session.")
@click.option("--repo", metavar="NAME", help="Of all sandboxes of a repository.")
@click.option("--json", "as_json", is_flag=True, help="One object.")
def list_hosts(session: str | None, repo: str | None, *, as_json: bool) -> None:
    """List what people have allowed; of a repository, the presets too."""
    found = asyncio.run(_ask("GET", _whose(session, repo)))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    if session:
        rows = [*((host, session) for host in found["hosts"])]
        rows += [(host, found["repository"]) for host in found["repository_hosts"]]
        click.echo("\n".join(clean_line(f"{host}  allowed to {to}") for host, to in rows) or "No host by itself.")
        return
    for preset, hosts in found["presets"].items():
        how = "" if preset in found["usual_presets"] else "  (where outrider.toml names it)"
        click.echo(f"{preset}: {', '.join(hosts)}{how}")
    for entry in found["hosts"]:
        click.echo(clean_line(f"{entry['host']}  allowed by {entry['by']['name']}"))


@egress.command()
@click.option("--session", "--owner", "owner", metavar="ID", help="Of one session, proof, image or repository.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="How many, newest first.")
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
def log(owner: str | None, limit: int, *, as_json: bool) -> None:
    """Say what sandboxes asked to reach and what was decided, newest first."""
    query = f"?limit={limit}" + (f"&owner={quote(owner)}" if owner else "")
    decisions = asyncio.run(_ask("GET", f"/api/egress{query}"))["decisions"]
    if as_json:
        for decision in decisions:
            click.echo(json.dumps(decision, ensure_ascii=False))
    elif decisions:
        make_console().print(_table(decisions, SystemClock().now()))
    else:
        click.echo("Nothing has asked to get out yet.")


def _whose(session: str | None, repo: str | None) -> str:
    if (session is None) == (repo is None):
        raise click.UsageError("Say whose: either --session ID or --repo NAME.")
    return f"/api/sessions/{quote(session)}/egress" if session else f"/api/repositories/{quote(repo or '')}/egress"


def _table(decisions: list[dict[str, Any]], now: datetime) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", expand=True)
    table.add_column("when", no_wrap=True)
    table.add_column("of", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("host", no_wrap=True, overflow="ellipsis")
    table.add_column("because", ratio=1, overflow="fold")
    for decision in decisions:
        word = Text("allowed", style="green") if decision["allowed"] else Text("refused", style="red")
        when = ago(now - datetime.fromisoformat(decision["at"]))
        rest = [Text(clean_line(decision[name])) for name in ("target", "why")]
        table.add_row(Text(when), Text(clean_line(decision["owner"])), word, *rest)
    return table


async def _ask(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    async with Servers.of(Settings.read()).reach() as client:
        return await client.ask(method, path, body)
