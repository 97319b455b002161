"""The command line: the list of commands, and how each ends."""

import io
import sys

import click

from outrider import __version__
from outrider.cli.commands.attach import attach
from outrider.cli.commands.demo import demo
from outrider.cli.commands.doctor import doctor
from outrider.cli.commands.down import down
from outrider.cli.commands.login import login
from outrider.cli.commands.run import run
from outrider.cli.commands.sessions import sessions
from outrider.cli.commands.setup import setup
from outrider.cli.commands.stop import stop
from outrider.cli.commands.up import up
from outrider.cli.commands.version import version
from outrider.cli.follow import Exit, LeftByPerson
from outrider.cli.views import make_console
from outrider.model.errors import BadRequest, OutriderError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="outrider")
def cli() -> None:
    """Outrider: a background coding agent that proves its work.

    \b
    outrider run "The total is wrong" --repo .    one prompt to a pull request, in this terminal
    outrider up --detach                          the server, for the browser too
    outrider doctor                               what works on this machine, and what to do
    """


for command in (up, down, run, attach, sessions, stop, login, doctor, setup, demo, version):
    cli.add_command(command)


def main() -> None:
    """Run a command; say in one sentence what went wrong, and tell it by the exit code too."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character shows a question mark, and the work goes on.
            stream.reconfigure(errors="replace")
    sys.exit(_run())


def _run() -> int:
    try:
        code = cli.main(standalone_mode=False)
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
