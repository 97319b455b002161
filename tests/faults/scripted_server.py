"""The real server with a scripted engine: `python -m tests.faults.scripted_server`, settings from the environment.

What a prompt asks for stands in its words: `talk`, `work`, `wait`, `leave` (processes behind) and `die`. Each
prompt that the engine is given is written to a file before it is played, so that a kill cannot hide one.
"""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from outrider.app.server import serve
from outrider.settings import Settings
from outrider.testing.fake_engine import FakeEngine, Stage, Step, die, say, shell

RECEIPTS = "receipts.jsonl"
"""In the home: one line for each prompt that was given to an engine."""


class ScriptedEngine(FakeEngine):
    """Plays what the last line asks for: before it may stand the story of a session that it takes over."""

    def steps(self, prompt: str) -> Sequence[Step]:
        """What to play."""
        return super().steps(prompt.rpartition("\n")[2])


def scripts(receipts: Path) -> dict[str, list[Step]]:
    """What is played, by the word that stands first in the prompt."""

    async def receive(stage: Stage) -> None:
        await asyncio.to_thread(_append, receipts, stage.prompt)

    work = 'n=$(ls | wc -l); echo "$n" > "file-$n" && git add -A && git commit -qm "File $n"'
    leave = "for i in 1 2; do setsid nohup sh -c 'trap \"\" TERM; sleep 300' >/dev/null 2>&1 & done; sleep 20"
    plays: dict[str, list[Step]] = {
        "talk ": [say("I only talk, and this is all that I have to say about it.")],
        "work ": [say("I write a file."), shell(work), say("It is committed.")],
        "wait ": [say("I wait a moment."), shell("sleep 0.4"), say("The moment is over.")],
        "leave ": [say("I leave something behind."), shell(leave), say("Nobody stopped me.")],
        "die ": [say("I begin, and then"), die()],
    }
    return {word: [receive, *steps] for word, steps in plays.items()}


def _append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(json.dumps(text) + "\n")


def main() -> None:
    """Serve until told to stop."""
    settings = Settings.read()
    engine = ScriptedEngine(scripts(settings.home / RECEIPTS))
    uvloop.run(serve(settings, engine=engine))


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
