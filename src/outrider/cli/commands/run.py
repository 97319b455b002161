"""`outrider run`: one prompt, from here to its pull request."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from outrider.app.author import find_author, introduce
from outrider.cli.checkout import Checkout
from outrider.cli.client import Client, ServerGone
from outrider.cli.family import offer_children
from outrider.cli.follow import Follower, LeftByPerson, exit_code, listening_for_ctrl_c
from outrider.cli.progress import Goal, Progress
from outrider.cli.renewal import renew
from outrider.cli.server import Servers
from outrider.cli.upload import upload
from outrider.cli.views import View, make_view
from outrider.model.errors import BadRequest, OutriderError
from outrider.model.feed import ProgressFrame
from outrider.model.ids import SessionId
from outrider.model.prompt import MAX_PROMPT_BYTES
from outrider.settings import Settings

ATTACHED = click.Path(exists=True, dir_okay=False, path_type=Path)
"""A file that comes with a prompt."""

MODEL_HELP = "PROVIDER/NAME, such as anthropic/claude-sonnet-4-5 or rehearsal/demo; without it, by the key that is set."


@click.command()
@click.argument("prompt")
@click.option(
    "--repo", default=".", show_default=True, help="Path or URL of a git repository; its committed state counts."
)
@click.option("--branch", help="Branch to start from; the default one without it.")
@click.option("--model", help=MODEL_HELP)
@click.option(
    "--attach", "files", multiple=True, type=ATTACHED, metavar="FILE", help="Send a file too; more than once."
)
@click.option("--key", help="The same key again is the same session: nothing is started twice.")
@click.option(
    "--children/--no-children",
    default=None,
    help="Whether Ctrl-C stops the sessions that it started too. On a terminal you are asked.",
)
@click.option("--json", "as_json", is_flag=True, help="Each event as one object a line, and last the result.")
def run(prompt: str, repo: str, files: tuple[Path, ...], *, children: bool | None, as_json: bool, **given: Any) -> int:
    """Work on PROMPT until there is a pull request, and show it here. `-` reads the prompt from stdin.

    Ctrl-C stops the turn, a second one leaves. Where sessions that it started still work then, it says how many, and
    asks whether they are meant too. Without a running server, one is run for as long as this takes.

    At a server elsewhere that you have joined, --repo is a URL, or the name of a repository that is known there.

    \b
    outrider run "The cart total is wrong when a coupon is used twice" --repo ~/src/shop
    outrider run - --repo https://example.org/shop.git --branch next < report.md
    outrider run "The page looks like this, and should not" --attach screenshot.png --attach page.har
    outrider run "Mend the flaky test" --json | jq -c .result
    outrider run "Mend the flaky test" --key nightly-2026-01-01

    Exit code: 0 done and no check red, 1 failed or checks that could not be run, 2 not a valid request, 130 stopped.
    """
    settings = Settings.read()
    servers = Servers.of(settings)
    if not servers.elsewhere:
        given["model"] = given["model"] or settings.chosen_model
    wanted = Wanted(read_prompt(prompt), Checkout.parse(repo), files=files, children=children, **given)
    return exit_code(asyncio.run(run_session(settings, servers, wanted, as_json=as_json)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the person asked for."""

    prompt: str
    checkout: Checkout
    branch: str | None = None
    model: str | None = None
    files: tuple[Path, ...] = ()
    key: str | None = None
    children: bool | None = None
    """Whether a stop takes the sessions that it started along; None: the person is asked."""

    def as_request(self) -> dict[str, Any]:
        """As the server takes it, but for the repository."""
        given = {"branch": self.branch, "model": self.model, "prompt": self.prompt, "key": self.key}
        return {name: value for name, value in given.items() if value is not None}


def read_prompt(argument: str) -> str:
    """The prompt, from stdin for `-`. Raises UsageError where it is empty or too long."""
    text = sys.stdin.read(MAX_PROMPT_BYTES + 1) if argument == "-" else argument
    if not text.strip():
        raise click.UsageError("The prompt is empty.")
    if len(text.encode()) > MAX_PROMPT_BYTES:
        limit = MAX_PROMPT_BYTES // 1024
        raise click.UsageError(
            f"The prompt is longer than {limit} kB. Put the long part into a file of the repository."
        )
    return text


async def run_session(settings: Settings, servers: Servers, wanted: Wanted, *, as_json: bool) -> dict[str, Any]:
    """Start a session, show it to its end, and return what came of it. Raises Refused where the home's own server lacks
    the model, BadRequest where a folder is named to a server elsewhere."""
    if servers.elsewhere and wanted.checkout.folder:
        raise BadRequest(
            f"{wanted.checkout.folder} is on this machine, and the server at {servers.elsewhere} is not.",
            "Name a repository that it knows, or a URL: --repo NAME. Your own server: --server here.",
        )
    own = None if servers.elsewhere else servers.home.running()
    running = servers.elsewhere is not None or own is not None
    if not running:
        click.echo("Starting a server for this command.", err=True)
    elif own and wanted.model:
        await renew(servers, settings, own, wanted.model.partition("/")[0])
    async with replace(servers, folder=wanted.checkout.folder).reach(start=True) as client:
        view = make_view(client.url, as_json=as_json)
        try:
            result = await _watch(servers, client, view, wanted)
        finally:
            view.close()
        view.result(result)
        if result["reason"] == "stopped":
            await _offer_children(client, result["session"], wanted.children)
        if not as_json:
            await say_link(client, result, running=running, own=not servers.elsewhere)
    return result


async def _offer_children(client: Client, session: SessionId, children: bool | None) -> None:
    with suppress(ServerGone):
        if said := await offer_children(client, session, children):
            click.echo(said, err=True)


async def say_link(client: Client, result: dict[str, Any], *, running: bool, own: bool) -> None:
    """Print a link that logs the browser in and opens what came of the session; with a private server, how to."""
    if not own:
        click.echo(f"\nSee it in your browser:\n  {client.url}/sessions/{result['session']}")
        return
    if not running:
        click.echo("\nTo see it in your browser: outrider up")
        return
    pull = result.get("pull_request")
    page = str(pull["url"]).removeprefix(client.url) if pull else f"/sessions/{result['session']}"
    link = await client.login_link(page if page.startswith("/") else "/")
    click.echo(f"\nSee it in your browser (the link works once, for ten minutes):\n  {link}")


async def _watch(servers: Servers, client: Client, view: View, wanted: Wanted) -> dict[str, Any]:
    told = "" if servers.elsewhere else introduce(find_author(wanted.checkout.folder), servers.home.path)
    for sentence in (told, wanted.checkout.left_out()):
        if sentence:
            view.say(sentence, "dim")
    await _tell_typing(client, wanted)
    repository = await client.import_repository(wanted.checkout.source, progress_of(view))
    given = {**wanted.as_request(), "repository": repository, "attachments": await upload(client, wanted.files)}
    session = await client.start_session(given)
    return await follow_turn(servers, client, view, session, Progress(Goal.PROMPT), stop=bool(wanted.children))


async def _tell_typing(client: Client, wanted: Wanted) -> None:
    """Have a sandbox held while the repository is brought up to date. What is wrong with the request is said where the
    session is started."""
    given = {"repository": wanted.checkout.source, "branch": wanted.branch, "model": wanted.model}
    body = {name: value for name, value in given.items() if value is not None}
    with suppress(OutriderError):
        await client.ask("POST", "/api/warm", body)


def progress_of(view: View) -> Callable[[str], None]:
    """Shows how far the import of a repository is, as any long work."""

    def say(line: str) -> None:
        frame = ProgressFrame(stage="import", text=line)
        view.frame(frame.model_dump_json(), frame)

    return say


async def follow_turn(
    servers: Servers, client: Client, view: View, session: SessionId, progress: Progress, *, stop: bool | None = None
) -> dict[str, Any]:
    """Show a session until the turn has ended. The first Ctrl-C stops the turn, with `stop` also what it started; where
    that is None, the first one leaves. Raises LeftByPerson."""
    follower = Follower(client, session, view, servers.clock, servers.locate)

    async def first() -> None:
        view.say("Stopping. Press Ctrl-C again to leave.", "yellow")
        try:
            await client.stop(session, children=bool(stop))
        except OutriderError as error:
            view.say(error.sentence, "yellow")

    try:
        async with listening_for_ctrl_c(None if stop is None else first):
            await follower.until_over(progress)
            return await follower.result(progress)
    except LeftByPerson:
        view.say(f"Left. The session goes on while a server runs: outrider attach {session}", "yellow")
        raise
