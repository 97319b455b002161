"""`outrider logout`: the end of a login elsewhere."""

import asyncio

import click

from outrider.cli.client import Client, NotLoggedIn, logged_in
from outrider.cli.server import Servers
from outrider.model.errors import NotFound, OutriderError
from outrider.settings import Settings


@click.command()
def logout() -> None:
    """End your login at the server that you joined last, or at --server. Your own server is used again.

    \b
    outrider logout
    outrider logout --server http://localhost:4200
    """
    click.echo(asyncio.run(_log_out(Servers.of(Settings.read()))))


async def _log_out(servers: Servers) -> str:
    address = servers.elsewhere
    login = servers.logins.find(address) if address else None
    if address is None or login is None:
        raise NotFound("You are logged in nowhere else.", "See `outrider join --list`.")
    servers.logins.forget(address)
    try:
        async with Client(address, logged_in(login.token)) as client:
            await client.ask("POST", "/api/logout")
    except NotLoggedIn:
        pass
    except OutriderError as error:
        return f"The login at {address} is forgotten here. The server was not told: {error.sentence}"
    return f"Logged out at {address}. Commands go to your own server again."
