"""`outrider login`: a link for the browser."""

import asyncio

import click
from pydantic import ValidationError

from outrider.app.home import RunningServer
from outrider.cli.server import Servers
from outrider.model.membership import ROLES
from outrider.model.person import Person
from outrider.settings import Settings


@click.command()
@click.option("--name", help="The name of somebody else whom the link is for.")
@click.option("--email", help="Their email: what sessions know them by.")
@click.option("--role", type=click.Choice(ROLES), help="What they may in sessions of others; an owner may everything.")
def login(name: str | None, email: str | None, role: str | None) -> None:
    """Print a fresh link that logs a browser in: yours, or another person's. It works once, for ten minutes.

    Without a role they may in sessions of others what OUTRIDER_DEFAULT_ROLE says.

    \b
    outrider login
    outrider login --name Bob --email bob@example.org
    outrider login --name Bob --email bob@example.org --role viewer
    """
    if bool(name) != bool(email) or (role and not email):
        raise click.UsageError("A link for somebody else takes --name and --email.")
    try:
        person = Person(name=name, email=email) if name and email else None
    except ValidationError as error:
        raise click.UsageError("This is no name and email.") from error
    click.echo(asyncio.run(_login(Servers.of(Settings.read()), person, role)))


async def _login(servers: Servers, person: Person | None, role: str | None) -> str:
    async with servers.reach() as client:
        return await client.login_link(person=person, role=role)


async def print_login(servers: Servers, running: RunningServer) -> None:
    """Print a fresh login link, with what it is for."""
    async with servers.client(running) as client:
        click.echo(f"Open it in your browser (the link works once, for ten minutes):\n  {await client.login_link()}")
