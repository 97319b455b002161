"""`outrider join`: follow a link, and act there from now on."""

import asyncio

import click
from pydantic import ValidationError
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from outrider.cli.clean import clean_line
from outrider.cli.joining import Joined, follow, read_link
from outrider.cli.layout import Hanging, beside, is_narrow
from outrider.cli.logins import Logins
from outrider.cli.server import HERE
from outrider.cli.views import make_list_console
from outrider.model.person import Person
from outrider.settings import Settings


@click.command()
@click.argument("link", default="-")
@click.option("--name", help="Who you are, where the link is into a session and you have no login; git's name without.")
@click.option("--email", help="The same.")
@click.option("--list", "listed", is_flag=True, help="List your logins; a * marks the server that is used.")
def join(link: str, name: str | None, email: str | None, *, listed: bool) -> None:
    """Follow LINK: into a session (of `outrider share`), or one that logs you in (of `outrider login`).

    From then on every command is yours at that server, with your role there, until `outrider logout`; `--server here`
    is your own server all the same. A link is a secret: without LINK, or with -, it is read from stdin.

    \b
    outrider join http://localhost:4100/join#ECuq0sUPaVZ8
    outrider join < link.txt
    outrider join --name Bob --email bob@example.org
    outrider join --list
    """
    settings = Settings.read()
    if listed:
        draw(make_list_console(), Logins(settings.config, settings.home))
        return
    who = person(name, email)
    for line in told(asyncio.run(follow(settings, read_link(link), who))):
        click.echo(line)


def person(name: str | None, email: str | None) -> Person | None:
    """Who is named. Raises UsageError."""
    if bool(name) != bool(email):
        raise click.UsageError("Who you are takes --name and --email.")
    try:
        return Person(name=name, email=email) if name and email else None
    except ValidationError as error:
        raise click.UsageError("This is no name and email.") from error


def told(joined: Joined) -> list[str]:
    """What a link has led to, in sentences."""
    who = f"{clean_line(joined.login.person.name)} <{clean_line(joined.login.person.email)}>"
    guest = ", a guest" if joined.login.guest else ""
    lines = [f"You are {who}{guest} at {joined.server}. Commands go there until `outrider logout`."]
    if joined.session:
        role = f" ({joined.role})" if joined.role else ""
        lines.append(f"See the session{role}: outrider attach {clean_line(joined.session)}")
    return lines


def draw(console: Console, logins: Logins) -> None:
    """A line a server and who you are there, one below the other; two lines each in a narrow terminal."""
    used = logins.address
    rows = [(HERE, f"your own server, by the home {logins.home}", not used)]
    for address, login in logins.read().logins.items():
        who = f"{clean_line(login.person.name)} <{clean_line(login.person.email)}>{' (a guest)' if login.guest else ''}"
        rows.append((address, who, address == used))
    width = max(cell_len(address) for address, _, _ in rows)
    for address, who, is_used in rows:
        mark = Text("* " if is_used else "  ", style="bold")
        if is_narrow(console):
            console.print(Hanging(mark, Text(address)))
            console.print(beside("", Text(who, style="dim"), indent=4))
        else:
            console.print(Hanging(mark.append(f"{address:<{width}}  ", style="not bold"), Text(who, style="dim")))
