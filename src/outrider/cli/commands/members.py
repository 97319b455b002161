"""`outrider members`: who is in a session, and with which role."""

import asyncio
from typing import Any
from urllib.parse import quote

import click

from outrider.cli.clean import clean_line
from outrider.cli.server import Servers
from outrider.model.ids import SessionId
from outrider.model.membership import ROLES
from outrider.settings import Settings


@click.command()
@click.argument("session", metavar="ID")
@click.argument("email", required=False)
@click.argument("role", required=False, type=click.Choice(ROLES))
@click.option("--name", help="The person's name, where they are no member yet.")
@click.option("--remove", is_flag=True, help="Send the person away.")
def members(session: str, email: str | None, role: str | None, name: str | None, *, remove: bool) -> None:
    """List the people of a session, give one a role, or send one away.

    A viewer reads, a prompter works with the agent, an owner decides who may what.

    \b
    outrider members s-k4q7ab2xyz
    outrider members s-k4q7ab2xyz bob@example.org viewer --name Bob
    outrider members s-k4q7ab2xyz bob@example.org --remove
    """
    if email and not (role or remove):
        raise click.UsageError(f"Which role? One of {', '.join(ROLES)}, or --remove.")
    found = asyncio.run(_members(Servers.of(Settings.read()), SessionId(session), email, role, name))
    for one in found["members"]:
        click.echo(_line(one))
    if found["others"]:
        click.echo(f"Everybody else who is logged in: {found['others']}.")


async def _members(
    servers: Servers, session: SessionId, email: str | None, role: str | None, name: str | None
) -> dict[str, Any]:
    path = f"/api/sessions/{session}/members"
    async with servers.reach() as client:
        if email and role:
            await client.ask("PUT", f"{path}/{quote(email)}", {"role": role, "name": name})
        elif email:
            await client.ask("DELETE", f"{path}/{quote(email)}")
        return await client.ask("GET", path)


def _line(member: dict[str, Any]) -> str:
    person = member["person"]
    guest = "  (a guest)" if member["guest"] else ""
    return f"{member['role']:<8}  {clean_line(person['name'])} <{clean_line(person['email'])}>{guest}"
