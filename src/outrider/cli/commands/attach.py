"""`outrider attach`: look at a session, from its beginning and then live."""

import asyncio

import click

from outrider.app.author import find_author
from outrider.cli.commands.run import follow_turn, read_prompt
from outrider.cli.follow import Exit, LeftByPerson, exit_code
from outrider.cli.progress import Goal, Progress
from outrider.cli.server import Servers
from outrider.cli.views import make_view
from outrider.model.ids import SessionId
from outrider.settings import Settings


@click.command()
@click.argument("session", metavar="ID")
@click.option("--prompt", help="Queue this prompt, and leave when it is answered. `-` reads it from stdin.")
@click.option("--until-idle", is_flag=True, help="Leave when nothing runs and nothing waits.")
@click.option("--json", "as_json", is_flag=True, help="Each event as one object a line, and last the result.")
def attach(session: str, prompt: str | None, *, until_idle: bool, as_json: bool) -> int:
    """Show a session: all that happened, then what happens. Ctrl-C leaves; nothing stops by it.

    \b
    outrider attach s-k4q7ab2xyz
    outrider attach s-k4q7ab2xyz --until-idle
    outrider attach s-k4q7ab2xyz --prompt "Also add a line to the changelog"
    """
    text = None if prompt is None else read_prompt(prompt)
    goal = Goal.PROMPT if text else Goal.IDLE if until_idle else Goal.NEVER
    try:
        return asyncio.run(_attach(Servers.of(Settings.read()), SessionId(session), goal, text, as_json=as_json))
    except LeftByPerson:
        return Exit.DONE


async def _attach(servers: Servers, session: SessionId, goal: Goal, text: str | None, *, as_json: bool) -> Exit:
    async with servers.reach(start=text is not None) as client:
        await client.session(session)
        progress = Progress(goal)
        if text is not None:
            progress.prompt = await client.queue_prompt(session, text, find_author().person)
        view = make_view(client.url, as_json=as_json)
        try:
            result = await follow_turn(servers, client, view, session, progress, stops=False)
        finally:
            view.close()
        view.result(result)
    return exit_code(result)
