"""Finds the server of a home, starts one, stops one."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from outrider.app.home import Home, RunningServer
from outrider.cli.client import Client
from outrider.model.errors import OutriderError
from outrider.ports.clock import Clock, SystemClock
from outrider.settings import Settings

START_SECONDS = 60
STOP_SECONDS = 30
POLL_SECONDS = 0.05
LOG_LINES = 8

COMMAND = (sys.executable, "-m", "outrider.cli", "serve")


@dataclass(frozen=True, slots=True)
class Servers:
    """The one server that a home may have."""

    home: Home
    clock: Clock

    @classmethod
    def of(cls, settings: Settings) -> "Servers":
        """With the machine's clock."""
        return cls(Home(settings.home), SystemClock())

    def locate(self) -> str | None:
        """Where it answers, if it runs."""
        running = self.home.running()
        return running.url if running else None

    def client(self, running: RunningServer) -> Client:
        """A client in the owner's name."""
        return Client(running.url, self.home.token())

    @asynccontextmanager
    async def reach(self, *, start: bool = False) -> AsyncIterator[Client]:
        """A client of the running server. With `start`, one is run for as long as this lasts where none is. Raises
        OutriderError where there is none."""
        running = self.home.running()
        if running is not None:
            async with self.client(running) as client:
                yield client
        elif start:
            async with self._private() as private, self.client(private) as client:
                yield client
        else:
            raise OutriderError(f"No server runs in {self.home.path}.", "Start one: outrider up --detach")

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
