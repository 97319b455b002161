"""Who the person at the terminal is: git's user, else the user of the machine."""

import getpass
import re
from dataclasses import dataclass
from pathlib import Path

from outrider.app.git import ask_git
from outrider.model.person import Person

SAID_ONCE = "author-told"


@dataclass(frozen=True, slots=True)
class Identity:
    """The person, and whether git knows them."""

    person: Person
    from_git: bool


def find_author(folder: Path | None = None) -> Identity:
    """The author of prompts that are typed here. `folder` is a checkout whose own settings count."""
    name, email = (ask_git("config", "--get", key, folder=folder).strip() for key in ("user.name", "user.email"))
    try:
        return Identity(Person(name=name, email=email), from_git=True)
    except ValueError:
        return Identity(_user_of_the_machine(), from_git=False)


def introduce(identity: Identity, home: Path) -> str:
    """One sentence about a name that was guessed, the first time in a home; empty after that."""
    marker = home / SAID_ONCE
    if identity.from_git or marker.exists():
        return ""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    marker.touch()
    person = identity.person
    return (
        f"Commits will be by {person.name} <{person.email}>, since git knows no name here. To change it: "
        'git config --global user.name "Your Name" && git config --global user.email you@example.org'
    )


def _user_of_the_machine() -> Person:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "user"
    plain = re.sub(r"[^A-Za-z0-9._-]", "", user) or "user"
    return Person(name=plain, email=f"{plain}@localhost")
