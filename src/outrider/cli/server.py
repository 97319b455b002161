"""Finds the server of a home, or the one elsewhere that is meant; starts one, stops one."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import click

from outrider.app.author import find_author
from outrider.app.home import Home, RunningServer
from outrider.cli.client import Client, as_owner, logged_in
from outrider.cli.links import address_of
from outrider.cli.logins import Logins
from outrider.model.errors import OutriderError
from outrider.ports.clock import Clock, SystemClock
from outrider.settings import Settings

START_SECONDS = 60
STOP_SECONDS = 30
POLL_SECONDS = 0.05
LOG_LINES = 8

HERE = "here"
"""Says `--server` for the home's own server."""

META = "outrider.server"
"""Where a command's context has what `--server` said."""

COMMAND = (sys.executable, "-m", "outrider.cli", "serve")


@dataclass(frozen=True, slots=True)
class Servers:
    """The one server that a home may have, or one elsewhere in its place."""

    home: Home
    clock: Clock
    logins: Logins
    elsewhere: str | None = None
    """The address of the server that is meant, where that is not the home's own."""
    folder: Path | None = None
    """The checkout whose git says who the person is at the home's own server."""

    @classmethod
    def here(cls, settings: Settings) -> "Servers":
        """The home's own, with the machine's clock."""
        return cls(Home(settings.home), SystemClock(), Logins(settings.config, settings.home))

    @classmethod
    def of(cls, settings: Settings) -> "Servers":
        """The one that `--server` names, else OUTRIDER_SERVER, else the one that was joined last, else the home's own.
        Raises BadRequest where what is named is no address."""
        here = cls.here(settings)
        named = wanted_server() or settings.server
        if named == HERE:
            return here
        if named is None:
            return replace(here, elsewhere=here.logins.address)
        address = address_of(named)
        own = address == here.locate() and here.logins.find(address) is None
        return here if own else replace(here, elsewhere=address)

    def locate(self) -> str | None:
        """Where it answers, if it runs."""
        if self.elsewhere:
            return self.elsewhere
        running = self.home.running()
        return running.url if running else None

    def client(self, running: RunningServer) -> Client:
        """A client of the home's own server, in the owner's name."""
        return Client(running.url, as_owner(self.home.token(), find_author(self.folder).person))

    @asynccontextmanager
    async def reach(self, *, start: bool = False) -> AsyncIterator[Client]:
        """A client of the server. With `start`, the home's own is run for as long as this lasts where it is meant and
        does not run. Raises OutriderError where there is none, and where nobody is logged in elsewhere."""
        if self.elsewhere:
            async with self._far(self.elsewhere) as client:
                yield client
            return
        running = self.home.running()
        if running is not None:
            async with self.client(running) as client:
                yield client
        elif start:
            async with self._private() as private, self.client(private) as client:
                yield client
        else:
            raise OutriderError(f"No server runs in {self.home.path}.", "Start one: outrider up --detach")

    def _far(self, address: str) -> Client:
        login = self.logins.find(address)
        if login is None:
            raise OutriderError(f"You are not logged in at {address}.", "Follow a link of that server: outrider join")
        return Client(address, logged_in(login.token))

    async def start_detached(self) -> RunningServer:
        """Start a server that outlives us; its log goes to the home. Raises OutriderError with what it said."""
        process = self._spawn("--quiet", stdin=subprocess.DEVNULL)
        return await self._ready(process)

    async def stop(self, running: RunningServer) -> None:
        """Ask the server to end and wait until it has. Raises OutriderError when it does not."""
        try:
            handle = os.pidfd_open(running.pid)
        except ProcessLookupError:
            return
        try:
            # The lock was held after the handle was taken, so the handle is that server's and of nobody born later.
            if self.home.running() == running:
                signal.pidfd_send_signal(handle, signal.SIGTERM)
                await self._gone()
        except PermissionError as error:
            raise OutriderError(f"The server (process {running.pid}) belongs to another user.") from error
        finally:
            os.close(handle)

    @asynccontextmanager
    async def _private(self) -> AsyncIterator[RunningServer]:
        """A server that ends with us, however we end: it runs until its stdin is closed."""
        process = self._spawn("--quiet", "--private", stdin=subprocess.PIPE)
        try:
            yield await self._ready(process)
        finally:
            if process.stdin:
                process.stdin.close()
            await self._ended(process)

    def _spawn(self, *options: str, stdin: int) -> "subprocess.Popen[bytes]":
        """In a session of its own, so that Ctrl-C in our terminal is not its."""
        self.home.prepare()
        with self.home.log_file.open("ab") as log:
            return subprocess.Popen([*COMMAND, *options], stdin=stdin, stdout=log, stderr=log, start_new_session=True)

    async def _ready(self, process: "subprocess.Popen[bytes]") -> RunningServer:
        deadline = self.clock.monotonic() + START_SECONDS
        while self.clock.monotonic() < deadline:
            running = self.home.running()
            if running is not None:
                async with self.client(running) as client:
                    if await client.is_healthy():
                        return running
            elif process.poll() is not None:
                raise OutriderError(f"The server did not start. {self._last_words()}", f"See {self.home.log_file}.")
            await self.clock.sleep(POLL_SECONDS)
        process.terminate()
        raise OutriderError(f"The server did not answer within {START_SECONDS} s.", f"See {self.home.log_file}.")

    async def _ended(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = self.clock.monotonic() + STOP_SECONDS
        while process.poll() is None:
            if self.clock.monotonic() > deadline:
                process.kill()
            await self.clock.sleep(POLL_SECONDS)

    async def _gone(self) -> None:
        deadline = self.clock.monotonic() + STOP_SECONDS
        while self.home.running() is not None:
            if self.clock.monotonic() > deadline:
                raise OutriderError(f"The server still runs after {STOP_SECONDS} s.", f"See {self.home.log_file}.")
            await self.clock.sleep(POLL_SECONDS)

    def _last_words(self) -> str:
        lines = self.home.log_file.read_text(errors="replace").strip().splitlines()[-LOG_LINES:]
        return " / ".join(line.strip() for line in lines if line.strip())


def wanted_server() -> str | None:
    """What `--server` says."""
    context = click.get_current_context(silent=True)
    return context.meta.get(META) if context else None
