"""`outrider up`: the server."""

import asyncio

import click

from outrider.app.home import RunningServer
from outrider.cli.commands.login import print_login
from outrider.cli.renewal import renew
from outrider.cli.server import Servers
from outrider.model.errors import Refused
from outrider.settings import Settings


@click.command()
@click.option("--detach", is_flag=True, help="Go on in the background, and return when the server answers.")
@click.pass_context
def up(context: click.Context, *, detach: bool) -> None:
    """Run the server until Ctrl-C, and print its address and a link that logs your browser in.

    \b
    outrider up
    outrider up --detach
    OUTRIDER_HOME=/srv/outrider OUTRIDER_PORT=4200 outrider up
    """
    if detach:
        asyncio.run(_detach(Settings.read()))
        return
    group = context.find_root().command
    serve = group.get_command(context, "serve") if isinstance(group, click.Group) else None
    if serve is not None:
        context.invoke(serve, quiet=False, private=False)


async def _detach(settings: Settings) -> None:
    servers = Servers.here(settings)
    running = servers.home.running()
    if running is None:
        running = await servers.start_detached()
        click.echo(f"Outrider runs at {running.url}. Its log is {servers.home.log_file}.")
    else:
        running = await _with_our_models(servers, settings, running)
        click.echo(f"Outrider runs already at {running.url}.")
    await print_login(servers, running)


async def _with_our_models(servers: Servers, settings: Settings, running: RunningServer) -> RunningServer:
    try:
        return await renew(servers, settings, running, None)
    except Refused as error:
        click.echo(f"{error.sentence} {error.remedy}", err=True)
        return running
