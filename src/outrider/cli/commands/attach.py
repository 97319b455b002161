"""`outrider attach`: look at a session, from its beginning and then live."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import click

from outrider.cli.commands.join import told
from outrider.cli.commands.run import ATTACHED, follow_turn, read_prompt
from outrider.cli.follow import Exit, LeftByPerson, exit_code
from outrider.cli.joining import follow, read_link
from outrider.cli.links import is_link
from outrider.cli.progress import Goal, Progress
from outrider.cli.server import Servers
from outrider.cli.upload import upload
from outrider.cli.views import make_view
from outrider.model.errors import BadRequest
from outrider.model.ids import SessionId
from outrider.settings import Settings


@click.command()
@click.argument("session", metavar="ID|LINK")
@click.option("--prompt", help="Queue this prompt, and leave when it is answered. `-` reads it from stdin.")
@click.option("--attach", "files", multiple=True, type=ATTACHED, metavar="FILE", help="Send a file with the prompt.")
@click.option("--until-idle", is_flag=True, help="Leave when nothing runs and nothing waits.")
@click.option("--json", "as_json", is_flag=True, help="Each event as one object a line, and last the result.")
def attach(session: str, prompt: str | None, files: tuple[Path, ...], *, until_idle: bool, as_json: bool) -> int:
    """Show a session: all that happened, then what happens. Ctrl-C leaves; nothing stops by it.

    A link into a session is followed first, as by `outrider join`; - reads it from stdin.

    \b
    outrider attach s-k4q7ab2xyz
    outrider attach s-k4q7ab2xyz --until-idle
    outrider attach s-k4q7ab2xyz --prompt "Also add a line to the changelog"
    outrider attach s-k4q7ab2xyz --prompt "It should look like this" --attach drawing.png
    outrider attach http://localhost:4100/join#ECuq0sUPaVZ8
    outrider attach - < link.txt
    """
    if files and prompt is None:
        raise click.UsageError("A file comes with a prompt: add --prompt TEXT.")
    sent = None if prompt is None else Sent(read_prompt(prompt), files)
    if session == prompt == "-":
        raise click.UsageError("Only one of the link and the prompt can be read from stdin.")
    goal = Goal.PROMPT if sent else Goal.IDLE if until_idle else Goal.NEVER
    try:
        return asyncio.run(_attach(session, goal, sent, as_json=as_json))
    except LeftByPerson:
        return Exit.DONE


@dataclass(frozen=True, slots=True)
class Sent:
    """A prompt to be queued."""

    text: str
    files: tuple[Path, ...]


async def _attach(named: str, goal: Goal, sent: Sent | None, *, as_json: bool) -> Exit:
    settings = Settings.read()
    session = await _joined(settings, named) if is_link(named) else SessionId(named)
    servers = Servers.of(settings)
    async with servers.reach(start=sent is not None) as client:
        await client.session(session)
        progress = Progress(goal)
        if sent is not None:
            files = await upload(client, sent.files)
            progress.prompt = await client.queue_prompt(session, sent.text, files)
        view = make_view(client.url, as_json=as_json)
        try:
            result = await follow_turn(servers, client, view, session, progress)
        finally:
            view.close()
        view.result(result)
    return exit_code(result)


async def _joined(settings: Settings, text: str) -> SessionId:
    """The session that a link leads to. Raises BadRequest where it leads to none."""
    joined = await follow(settings, read_link(text), None)
    for line in told(joined)[:1]:
        click.echo(line, err=True)
    if joined.session is None:
        raise BadRequest("This link logs you in and leads to no session.", "Name one: outrider sessions")
    return joined.session
