"""`outrider demo`: the main job, on a repository of its own."""

import asyncio
from itertools import count
from typing import Any

import click

from outrider.cli.checkout import Checkout
from outrider.cli.client import Client
from outrider.cli.commands.run import Wanted, run_session
from outrider.cli.follow import Exit, exit_code
from outrider.cli.server import Servers
from outrider.rehearsal.demo import DEMO_NAME, DEMO_PROMPT, write_demo_repository
from outrider.settings import Settings


@click.command()
def demo() -> int:
    """Take one prompt to a proved pull request on a small demo repository, played by the rehearsal model.

    The server is started where none runs, and goes on running.

    \b
    outrider demo
    """
    settings = Settings.read()
    result = asyncio.run(_demo(Servers.of(settings), settings))
    code = exit_code(result)
    return Exit.FAILED if code is Exit.DONE and not result["pull_request"] else code


async def _demo(servers: Servers, settings: Settings) -> dict[str, Any]:
    running = servers.home.running()
    if running is None:
        running = await servers.start_detached()
        click.echo(f"Started the server at {running.url}.")
    async with servers.client(running) as client:
        repository = settings.home / "demo" / fresh_name(await merged(client))
    await asyncio.to_thread(write_demo_repository, repository)
    click.echo(f"The demo repository is {repository}.\n")
    wanted = Wanted(DEMO_PROMPT, Checkout.parse(str(repository)), model="rehearsal/demo")
    return await run_session(servers, wanted, as_json=False)


async def merged(client: Client) -> set[str]:
    """Names of the repositories that have a merged pull request."""
    pulls = (await client.ask("GET", "/api/pull-requests"))["pull_requests"]
    return {pull["repository"] for pull in pulls if pull["state"] == "merged"}


def fresh_name(merged: set[str]) -> str:
    """The first repository of ours whose bug is not mended yet: where it was merged, the script has nothing to do."""
    names = (DEMO_NAME if number == 1 else f"{DEMO_NAME}-{number}" for number in count(1))
    return next(name for name in names if name not in merged)
