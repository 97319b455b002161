"""A running server without the models of this environment: it is started again, or it is said how."""

import click

from outrider.app.home import RunningServer
from outrider.app.marks import model_marks, settings_mark
from outrider.cli.client import Client
from outrider.cli.server import Servers
from outrider.model.errors import Refused
from outrider.settings import Settings, Vendor

AT_WORK = "/api/sessions?limit=1&state=waiting&state=waking&state=running&state=stopping"


def lacking(running: RunningServer, settings: Settings, secret: str) -> tuple[Vendor, ...]:
    """The vendors of this environment that the server does not have, or has with another key or address. Pure."""
    if running.models is None:
        return ()
    ours = model_marks(settings, secret)
    return tuple(one for one in settings.vendors if running.models.get(one.provider) != ours[one.provider])


def explain(running: RunningServer, missing: tuple[Vendor, ...]) -> Refused:
    """What the server lacks, and the command that mends it. Pure."""
    names = " and ".join(name for vendor in missing for name in vendor.variables)
    return Refused(
        f"The server at {running.url} was started without the {names} that is set here.",
        "Start it again with it (sessions go on afterwards): outrider down && outrider up --detach",
    )


def may_be_replaced(running: RunningServer, settings: Settings, secret: str) -> bool:
    """Whether a server started from here would differ in nothing but having more models, and nobody watches this one
    run in a terminal. Pure."""
    loses = set(running.models or ()) - {one.provider for one in settings.vendors}
    return running.detached and not loses and running.settings == settings_mark(settings, secret)


async def renew(servers: Servers, settings: Settings, running: RunningServer, provider: str | None) -> RunningServer:
    """The running server, started again where it lacks what this environment has for a provider (None: for any).

    That is done only where no session is at work in it, it runs in the background, and a server started from here would
    differ in nothing else. Raises Refused with the command otherwise.
    """
    secret = servers.home.token()
    missing = tuple(one for one in lacking(running, settings, secret) if provider in (None, one.provider))
    if not missing:
        return running
    problem = explain(running, missing)
    if not may_be_replaced(running, settings, secret):
        raise problem
    async with servers.client(running) as client:
        if await _is_at_work(client):
            raise problem
    await servers.stop(running)
    fresh = await servers.start_detached()
    click.echo(f"{problem.sentence} Nothing was at work there, so it was started again.", err=True)
    return fresh


async def _is_at_work(client: Client) -> bool:
    return bool((await client.ask("GET", AT_WORK))["sessions"])
