"""The command line: the list of commands, and how each ends."""

import io
import sys
from importlib import import_module

import click

from outrider import __version__
from outrider.cli.follow import Exit, LeftByPerson
from outrider.cli.server import META
from outrider.cli.views import make_console
from outrider.model.errors import BadRequest, OutriderError

COMMANDS = {
    "run": "Take one prompt to a pull request, here.",
    "attach": "Show a session: all that happened, then what happens.",
    "sessions": "List sessions.",
    "pulls": "List pull requests.",
    "search": "Find what was asked and said, in all sessions.",
    "changes": "List the files that a session has changed.",
    "export": "Write a session's whole story as Markdown or JSON.",
    "spawn": "Start a session below another.",
    "children": "Say what the sessions that one started are at.",
    "stop": "Stop the running turn of a session.",
    "queue": "List, edit, move and withdraw the prompts that wait.",
    "rename": "Give a session another title.",
    "pin": "Keep a session at the top of the list.",
    "unpin": "Put a session back among the others.",
    "archive": "Put a session away.",
    "unarchive": "Take a session out of the archive.",
    "limits": "Say what people may do here, and how much is used.",
    "rewind": "Bring a session back to the end of a turn.",
    "fork": "Start a session from a turn of another.",
    "members": "Say who is in a session, and who may what.",
    "share": "Make a link by which people join a session.",
    "join": "Follow a link: work in a session, or on a server, of somebody else.",
    "logout": "Forget a login at a server elsewhere.",
    "up": "Run the server, for the browser too.",
    "down": "Stop the server.",
    "egress": "See and allow the hosts that sandboxes reach.",
    "login": "Print a link that logs your browser in.",
    "pool": "Say how warm the pool is, and how well it serves.",
    "metrics": "Print the figures that a monitoring system reads.",
    "backup": "Write everything that cannot be made again into one file.",
    "restore": "Put a backup into an empty home.",
    "doctor": "Say what works on this machine, and what to do.",
    "images": "List and build the images that sessions start from.",
    "setup": "Build what sandboxes start from.",
    "demo": "Watch the main job on a small repository.",
    "version": "Print the version.",
}
"""Name and purpose, in the order of the help."""

HIDDEN = ("serve",)

LOCAL = ("up", "down", "serve", "backup", "restore", "doctor", "setup", "demo", "version")
"""What is about the home on this machine, never about a server elsewhere."""


def server_option() -> click.Option:
    """Which server is meant."""

    def remember(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
        if value is not None:
            ctx.meta[META] = value

    words = "The server that is meant, in place of the one joined last; `here`: your own."
    return click.Option(["--server"], metavar="URL", expose_value=False, callback=remember, help=words)


class Commands(click.Group):
    """Loads a command's module when it is asked for: the server's libraries take a second that only `up` waits for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command that people use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS and cmd_name not in HIDDEN:
            return None
        command = getattr(import_module(f"outrider.cli.commands.{cmd_name}"), cmd_name)
        if not isinstance(command, click.Command):
            return None
        if cmd_name not in LOCAL and all(one.name != "server" for one in command.params):
            command.params.append(server_option())
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in the help, without loading what it names."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="outrider")
def cli() -> None:
    """A background coding agent that proves its work.

    \b
    outrider run "The total is wrong" --repo .
    outrider up --detach
    outrider run --help
    """


def main() -> None:
    """Run a command; say in one sentence what went wrong, and tell it by the exit code too."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character shows a question mark, and the work goes on.
            stream.reconfigure(errors="replace")
    sys.exit(_run())


def _run() -> int:
    try:
        code = cli.main(prog_name="outrider", standalone_mode=False)
        return code if isinstance(code, int) else Exit.DONE
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, LeftByPerson):
        return Exit.STOPPED
    except OutriderError as error:
        console = make_console(to_stderr=True)
        console.print(error.sentence, style="red")
        if error.remedy:
            console.print(error.remedy)
        return Exit.USAGE if isinstance(error, BadRequest) else Exit.FAILED
    except BrokenPipeError:
        # Whoever read our output has enough; nothing more can be said there.
        sys.stdout = open("/dev/null", "w")  # noqa: SIM115, PTH123 -- closed by the interpreter's own exit
        return Exit.FAILED
