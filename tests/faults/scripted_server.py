"""The real server with a scripted engine: `python -m tests.faults.scripted_server`, settings from the environment.

The engine is a process in the sandbox (`guest_engine.py`), behind the adapter that every engine has. Each prompt that
it is given is written to a file before it has it, so that a kill cannot hide one, together with what of earlier prompts
is alive in the sandbox at that moment.
"""

import asyncio
import json
import os
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop

from outrider.app.server import serve
from outrider.engines.acp import AcpEngine
from outrider.engines.profile import Profile, Start
from outrider.model.engine import EngineStop
from outrider.model.sandbox import ENGINE_ROLE
from outrider.ports.engine import EngineLaunch, EngineListener, EngineSession, Part
from outrider.ports.sandbox import ExecSpec, Guest
from outrider.settings import Settings

RECEIPTS = "receipts.jsonl"
"""In the home: one line for each prompt that was given to an engine."""

HOME = "/home/agent/.scripted"
ENGINE_FILE = "guest_engine.py"
ALIVE = "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | sed -n 's/^FAULT_RECEIPT=//p' | sort -u"


class Scripted(Profile):
    """The script, as an engine is installed."""

    name = "scripted"

    def start(self, launch: EngineLaunch) -> Start:
        """See `outrider.engines.profile.Profile`."""
        script = Path(__file__).with_name(ENGINE_FILE).read_text()
        argv = ("/usr/bin/python3", "-I", "-S", f"{HOME}/{ENGINE_FILE}")
        return Start(argv=argv, home=HOME, env={"OUTRIDER_ROLE": ENGINE_ROLE}, files={ENGINE_FILE: script})


class NotingEngine:
    """Any engine; what it is given is noted."""

    def __init__(self, engine: AcpEngine, receipts: Path) -> None:
        self.name, self.asks = engine.name, engine.asks
        self._engine = engine
        self._receipts = receipts

    async def open(self, guest: Guest, launch: EngineLaunch, listener: EngineListener) -> "NotingSession":
        """See `ports.engine.Engine`."""
        inner = await self._engine.open(guest, launch, listener)
        return NotingSession(inner, guest, self._receipts)

    def saved_output(self, text: str) -> str | None:
        """See `ports.engine.Engine`."""
        return self._engine.saved_output(text)


@dataclass
class NotingSession:
    """Its session."""

    inner: EngineSession
    guest: Guest
    receipts: Path

    @property
    def id(self) -> str:
        return self.inner.id

    @property
    def resumed(self) -> bool:
        return self.inner.resumed

    async def prompt(self, parts: Sequence[Part]) -> EngineStop:
        """The receipt goes last."""
        receipt = secrets.token_hex(6)
        look = await self.guest.run(ExecSpec(argv=("/bin/sh", "-c", ALIVE), cwd="/"))
        texts = [part for part in parts if isinstance(part, str)]
        note = {"id": receipt, "parts": texts, "alive": look.output.decode().split()}
        await asyncio.to_thread(_append, self.receipts, note)
        return await self.inner.prompt([*parts, receipt])

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)


def _append(path: Path, note: object) -> None:
    with path.open("a") as file:
        file.write(json.dumps(note) + "\n")


def main() -> None:
    """Serve until told to stop."""
    os.umask(0o077)
    settings = Settings.read()
    engine = NotingEngine(AcpEngine(Scripted()), settings.home / RECEIPTS)
    uvloop.run(serve(settings, engine=engine))


if __name__ == "__main__":
    sys.exit(main())
