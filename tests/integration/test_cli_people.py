"""The terminals of several people on one server: the owner's, a guest's, a viewer's. Real processes, real sockets."""

import asyncio
import json
import os
import re
import socket
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from click.testing import CliRunner

from outrider.app.home import Home, RunningServer
from outrider.cli.main import cli
from outrider.model.errors import OutriderError
from outrider.model.ids import SessionId
from outrider.model.membership import House
from outrider.testing.api_world import ADDRESS, OWNER, TOKEN, ApiWorld, api_world
from outrider.testing.fake_engine import FakeEngine, hang, say
from outrider.testing.session_world import SessionWorld, new_session, until
from tests.e2e.deployment import Finished


@dataclass(frozen=True)
class Terminal:
    """A person's terminal: a folder that is home, config and data, and a git that knows them."""

    folder: Path
    name: str

    async def __call__(self, *arguments: str, stdin: str = "") -> Finished:
        """A command, in a thread of this process: a process of its own takes a second to begin."""
        given: dict[str, Any] = {"input": stdin, "env": self._environment(), "standalone_mode": False}
        result = await asyncio.to_thread(CliRunner().invoke, cli, arguments, **given)
        error = result.exception
        if isinstance(error, OutriderError):
            return Finished(1, result.stdout, f"{result.stderr}{error.sentence} {error.remedy}")
        assert error is None, result.exc_info
        return Finished(result.return_value or 0, result.stdout, result.stderr)

    async def process(self, *arguments: str, stdin: str = "") -> Finished:
        """A command as a process, as those must be that listen for Ctrl-C."""
        pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
        argv = [sys.executable, "-m", "outrider.cli", *arguments]
        process = await asyncio.create_subprocess_exec(*argv, env=self._environment(), **pipes)
        out, err = await process.communicate(stdin.encode())
        assert b"Traceback" not in err, err.decode()
        return Finished(process.returncode or 0, out.decode(), err.decode())

    async def does(self, *arguments: str, stdin: str = "") -> str:
        """A command that works; what it prints."""
        done = await self(*arguments, stdin=stdin)
        assert done.code == 0, done
        return done.out

    @property
    def kept(self) -> Path:
        """The file of logins."""
        return self.folder / "config" / "logins.json"

    def login_at(self, url: str) -> str:
        """The token that is kept."""
        return str(json.loads(self.kept.read_text())["logins"][url]["token"])

    def _environment(self) -> dict[str, str]:
        git = {"user.name": self.name, "user.email": f"{self.name.lower()}@example.org"}
        names = {f"GIT_CONFIG_KEY_{number}": key for number, key in enumerate(git)}
        values = {f"GIT_CONFIG_VALUE_{number}": value for number, value in enumerate(git.values())}
        folders = {"HOME": str(self.folder), "OUTRIDER_HOME": str(self.folder / "home")}
        folders["OUTRIDER_CONFIG"] = str(self.folder / "config")
        return {"PATH": os.environ["PATH"], "COLUMNS": "200", "GIT_CONFIG_COUNT": "2", **names, **values, **folders}


@dataclass(frozen=True)
class Deployment:
    """A server on a port."""

    api: ApiWorld
    world: SessionWorld
    url: str
    session: SessionId
    folder: Path

    def terminal(self, name: str) -> Terminal:
        folder = self.folder / name
        folder.mkdir()
        return Terminal(folder, name)

    def at_its_port(self, text: str) -> str:
        """The link in what was printed; the world calls itself by another port."""
        found = re.search(r"http://\S+", text)
        assert found, text
        return found[0].replace(ADDRESS, self.url)

    async def people(self) -> set[str]:
        """Everybody whom the session's log says to have done something."""
        pages = [json.loads(body)["event"] for body in await self.api.parts.registry.events(self.session, 0, 10_000)]
        return {name for event in pages[1:] for name in names(event)}


def names(value: Any) -> Iterator[str]:
    """Every person in a piece of JSON."""
    if isinstance(value, dict):
        if {"name", "email"} <= value.keys():
            yield value["name"]
        for one in value.values():
            yield from names(one)
    elif isinstance(value, list):
        for one in value:
            yield from names(one)


@asynccontextmanager
async def deployment(folder: Path, first: str) -> AsyncIterator[Deployment]:
    """A server that answers on a port, with a session whose first prompt is this."""
    world = SessionWorld(folder / "world", FakeEngine({"talk": [say("All is well. ")], "": [hang()]}))
    world.house = House(owner=OWNER.email, others="prompter")
    repository = await world.begin()
    listener = socket.create_server(("127.0.0.1", 0))
    async with api_world(world) as api, asyncio.TaskGroup() as tasks:
        session = await api.parts.registry.create(new_session(repository, world.source.head(), first))
        config = uvicorn.Config(api.app, lifespan="off", log_config=None, ws="websockets-sansio")
        server = uvicorn.Server(config)
        serving = tasks.create_task(server._serve([listener]))
        try:
            url = f"http://localhost:{listener.getsockname()[1]}"
            yield Deployment(api, world, url, session, folder)
        finally:
            server.should_exit = True
            await serving


@asynccontextmanager
async def owned(served: Deployment, name: str) -> AsyncIterator[Terminal]:
    """The terminal of the deployment's owner, whose git has another name than the server's."""
    terminal = served.terminal(name)
    home = Home(terminal.folder / "home")
    home.prepare()
    home.token_file.write_text(TOKEN)
    with home.claim() as claim:
        claim.announce(RunningServer(url=served.url, pid=os.getpid(), version="0"))
        yield terminal


async def test_all_that_one_person_does_carries_one_name(tmp_path: Path) -> None:
    (tmp_path / "world").mkdir()
    async with deployment(tmp_path, "hang") as served, owned(served, "Grace") as grace:
        session = str(served.session)
        await until(served.api.parts.registry, served.session, lambda state: state.turn is not None)
        for text in ("one", "two", "three"):
            await grace.does("queue", session, "add", text, "--key", text)
        await grace.does("queue", session, "add", "three", "--key", "three")
        assert "uno" in await grace.does("queue", session, "edit", "1", "uno")
        await files_of_a_prompt_that_waits_are_changed(served, grace)
        await grace.does("queue", session, "move", "2", "1")
        await grace.does("queue", session, "withdraw", "3")
        rows = [json.loads(line) for line in (await grace.does("queue", session, "list", "--json")).splitlines()]
        assert [row["text"] for row in rows] == ["two", "uno"]
        await grace.does("queue", session, "steer", "1")
        await grace.does("rename", session, "Another title")
        await grace.does("stop", session)
        await grace.does("pin", session)
        link = served.at_its_port(await grace.does("login"))
        async with served.api.client() as browser:
            browser.cookies = (await browser.get(link.removeprefix(served.url))).cookies
            assert (await browser.get("/api/me")).json()["person"]["name"] == "Grace"
        assert await served.people() == {"Ada", "Grace"}  # Ada's is the prompt that was there before


async def files_of_a_prompt_that_waits_are_changed(served: Deployment, grace: Terminal) -> None:
    old, new = grace.folder / "old.txt", grace.folder / "new.txt"
    for file in (old, new):
        file.write_text(file.name)
    edit = ("queue", str(served.session), "edit", "2")
    assert await grace.does(*edit, "--attach", str(old)) == "The prompt is: two (with old.txt)\n"
    told = await grace.does(*edit, "--attach", str(new), "--drop", "old.txt")
    assert told == "The prompt is: two (with new.txt)\n"
    prompt = (await served.api.parts.registry.state(served.session)).queue[1]
    assert ([file.name for file in prompt.attachments], prompt.text) == (["new.txt"], "two")
    wrong = await grace(*edit, "--drop", "old.txt")
    assert (wrong.code, "There are: new.txt." in wrong.err) == (1, True)
    assert await grace.does(*edit, "--drop", "new.txt") == "The prompt is: two\n"
    assert (await served.api.parts.registry.state(served.session)).queue[1].attachments == ()


async def test_a_guest_works_in_a_session_by_a_link_and_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "world").mkdir()
    async with deployment(tmp_path, "talk") as served, owned(served, "Grace") as grace:
        session = str(served.session)
        await until(served.api.parts.registry, served.session, lambda state: state.turns == 1 and state.turn is None)
        bob = served.terminal("Bob")
        link = served.at_its_port(await grace.does("share", session))
        shown = await bob.process("attach", "-", "--until-idle", stdin=link)
        assert "All is well." in shown.out
        assert "You are Bob <bob@example.org>, a guest at" in shown.err

        assert stat.S_IMODE(bob.kept.stat().st_mode) == 0o600
        secrets = [link.partition("#")[2], bob.login_at(served.url)]
        assert not [secret for secret in secrets if secret in shown.out + shown.err]

        assert session in await bob.does("sessions")
        answered = await bob.process("attach", session, "--prompt", "talk again")
        assert answered.code == 0, answered
        assert "Bob" in await served.people()
        for refused in (("run", "talk", "--repo", "demo"), ("rename", session, "Mine"), ("limits",)):
            done = await bob(*refused)
            assert (done.code, "A guest sees and uses" in done.err) == (1, True), done
        folder = await bob("run", "talk", "--repo", ".")
        assert (folder.code, "is on this machine" in folder.err) == (1, True)
        await the_login_ends(served, bob, link)


async def the_login_ends(served: Deployment, bob: Terminal, link: str) -> None:
    token = bob.login_at(served.url)
    own = await bob("sessions", "--server", "here")
    assert "No server runs in" in own.err
    assert f"* {served.url}  Bob" in await bob.does("join", "--list")
    assert "Logged out" in await bob.does("logout")
    assert token not in bob.kept.read_text()
    async with served.api.client(cookie=token) as thief:
        assert (await thief.get("/api/sessions")).status_code == 401
    assert "No server runs in" in (await bob("sessions")).err
    again = await bob("join", "-", stdin=link)
    assert (again.code, "leads nowhere" in again.err) == (1, True)


async def test_a_login_of_ones_own_has_its_role_in_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "world").mkdir()
    async with deployment(tmp_path, "hang") as served, owned(served, "Grace") as grace:
        session = str(served.session)
        await until(served.api.parts.registry, served.session, lambda state: state.turn is not None)
        cleo = served.terminal("Cleo")
        whom = ("--name", "Cleo", "--email", "cleo@example.org", "--role", "viewer")
        link = served.at_its_port(await grace.does("login", *whom))
        assert "You are Cleo <cleo@example.org> at" in await cleo.does("join", link)
        assert session in await cleo.does("sessions")
        looked = await cleo("stop", session)
        assert (looked.code, "Ask Ada" in looked.err) == (1, True)

        shared = served.at_its_port(await grace.does("share", session))
        assert f"(prompter): outrider attach {session}" in await cleo.does("join", shared)
        assert await cleo.does("stop", session) == "Stopping.\n"
        state = await until(served.api.parts.registry, served.session, lambda state: state.turn is None)
        assert state.members["cleo@example.org"].role == "prompter"
        used = await served.terminal("Dora")("join", link)
        assert (used.code, "was used already" in used.err) == (1, True)
