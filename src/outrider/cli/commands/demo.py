"""`outrider demo`: the main job, on a repository of its own."""

import asyncio

import click

from outrider.cli.checkout import Checkout
from outrider.cli.commands.run import Wanted, run_session
from outrider.cli.follow import Exit
from outrider.cli.server import Servers
from outrider.rehearsal.demo import DEMO_PROMPT, write_demo_repository
from outrider.settings import Settings


@click.command()
def demo() -> int:
    """Take one prompt to a proved pull request on a small demo repository, played by the rehearsal model.

    The server is started where none runs, and goes on running.

    \b
    outrider demo
    """
    settings = Settings.read()
    return asyncio.run(_demo(Servers.of(settings), settings))


async def _demo(servers: Servers, settings: Settings) -> Exit:
    if servers.home.running() is None:
        running = await servers.start_detached()
        click.echo(f"Started the server at {running.url}. `.venv/bin/outrider down` stops it.")
    repository = settings.home / "demo" / "bakery"
    await asyncio.to_thread(write_demo_repository, repository)
    click.echo(f"The demo repository is {repository}.\n")
    wanted = Wanted(DEMO_PROMPT, Checkout.parse(str(repository)), model="rehearsal/demo")
    return await run_session(servers, wanted, as_json=False)
