"""`outrider demo`: the main job, on a repository of its own."""

import asyncio
from itertools import count
from typing import Any

import click

from outrider.cli.checkout import Checkout
from outrider.cli.client import Client
from outrider.cli.commands.run import MODEL_HELP, Wanted, run_session
from outrider.cli.follow import Exit, exit_code
from outrider.cli.renewal import renew
from outrider.cli.server import Servers
from outrider.model.proof import CheckVerdict, Phase, ProofVerdict
from outrider.rehearsal.demo import DEMO_NAME, DEMO_PROMPT, write_demo_repository
from outrider.settings import Settings


@click.command()
@click.option("--model", help=MODEL_HELP)
def demo(model: str | None) -> int:
    """Take one prompt to a proved pull request on a small demo repository.

    Without a key of a model the rehearsal model plays it: a script, and no LLM. The server is started where none runs,
    and goes on running.

    \b
    outrider demo
    outrider demo --model rehearsal/demo

    Exit code: 0 there is a pull request with a fix that is proved (green at base, its new tests red before and green
    after), 1 there is none, 130 stopped.
    """
    settings = Settings.read()
    result, verdict = asyncio.run(_demo(settings, model or str(settings.default_model)))
    code = exit_code(result)
    if code is Exit.DONE and (missing := unproved(result, verdict)):
        click.echo(f"The demo did not come to its end: {missing}.", err=True)
        return Exit.FAILED
    return code


def unproved(result: dict[str, Any], verdict: str | None) -> str:
    """What lacks of the proof that the demo promises; empty where nothing does. `verdict` is that of the evidence on
    the pull request. Pure."""
    if not result["pull_request"]:
        return "there is no pull request"
    runs = {phase: {one["verdict"] for one in result["checks"] if one["phase"] == phase} for phase in Phase}
    if runs[Phase.BASE] != {CheckVerdict.PASSED}:
        return "the checks are not green at the base commit"
    if CheckVerdict.FAILED not in runs[Phase.BEFORE]:
        return "no new test is red before the change"
    if runs[Phase.AFTER] != {CheckVerdict.PASSED}:
        return "the checks are not green after the change"
    return "" if verdict == ProofVerdict.FIX_PROVED else "no test is red before the change and green after it"


async def _demo(settings: Settings, model: str) -> tuple[dict[str, Any], str | None]:
    """What came of it, and the verdict of the evidence on its pull request."""
    servers = Servers.here(settings)
    running = servers.home.running()
    if running is None:
        running = await servers.start_detached()
        click.echo(f"Started the server at {running.url}.")
    else:
        running = await renew(servers, settings, running, model.partition("/")[0])
    async with servers.client(running) as client:
        repository = settings.home / "demo" / fresh_name(await merged(client))
    await asyncio.to_thread(write_demo_repository, repository)
    click.echo(f"The demo repository is {repository}.\n")
    if not model.startswith("rehearsal/"):
        click.echo(f"{model} does the work, and your account pays. Without an LLM: --model rehearsal/demo\n")
    wanted = Wanted(DEMO_PROMPT, Checkout.parse(str(repository)), model=model)
    result = await run_session(settings, servers, wanted, as_json=False)
    async with servers.reach() as client:
        return result, await _verdict(client, result)


async def _verdict(client: Client, result: dict[str, Any]) -> str | None:
    opened = result["pull_request"]
    if not opened:
        return None
    repository, number = str(opened["url"]).rsplit("/", 2)[1:]
    proof = (await client.ask("GET", f"/api/pull-requests/{repository}/{number}"))["proof"]
    return str(proof["verdict"]) if proof else None


async def merged(client: Client) -> set[str]:
    """Names of the repositories that have a merged pull request."""
    pulls = (await client.ask("GET", "/api/pull-requests"))["pull_requests"]
    return {pull["repository"] for pull in pulls if pull["state"] == "merged"}


def fresh_name(merged: set[str]) -> str:
    """The first repository of ours whose bug is not mended yet: where it was merged, the script has nothing to do."""
    names = (DEMO_NAME if number == 1 else f"{DEMO_NAME}-{number}" for number in count(1))
    return next(name for name in names if name not in merged)
