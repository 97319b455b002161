"""Output of tools that is too long for the transcript. The engine leaves it in a file of its home and says which; we
keep that file as an artifact, bounded and without the secrets that we know.
"""

import asyncio
from dataclasses import dataclass

from outrider.model.commands import Report
from outrider.model.engine import ToolCallUpdate, ToolText
from outrider.model.errors import OutriderError
from outrider.model.ids import ToolCallId, TurnId
from outrider.model.tool_events import ToolLogKept
from outrider.ports.engine import Engine
from outrider.ports.sandbox import ExecSpec, Guest
from outrider.session.actor import Actor
from outrider.session.world import World

LOG_BYTES = 8 << 20
"""The most that is kept of one output: half of it from the beginning, half from the end."""

LOG_SECONDS = 30.0
MOST_WAITING = 20

TEXT_CHARACTERS = 2000
"""Within so much of its beginning an output says where all of it is."""

_READ = """
test -f "$1" || exit 1
size=$(wc -c <"$1") && echo "$size" || exit 1
if [ "$size" -le "$2" ]; then cat "$1"; else head -c "$3" "$1"; printf '\\n… left out …\\n'; tail -c "$3" "$1"; fi
"""


@dataclass(frozen=True, slots=True)
class SavedLog:
    """Where an engine has left the whole output of a tool."""

    turn: TurnId
    tool_call: ToolCallId
    path: str


class ToolLogs:
    """The logs of one session that are not kept yet."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: list[SavedLog] = []

    def hear(self, turn: TurnId, update: ToolCallUpdate) -> None:
        """A tool has ended."""
        path = saved_path(update, self._engine)
        if path and len(self._waiting) < MOST_WAITING:
            self._waiting.append(SavedLog(turn, update.tool_call, path))

    async def keep(self, guest: Guest, world: World, actor: Actor) -> None:
        """Keep those that wait. What cannot be read or stored is not kept: the transcript has a part of it."""
        while self._waiting:
            log = self._waiting.pop(0)
            try:
                if kept := await _keep(log, guest, world, actor):
                    await actor.ask(Report(kept))
            except OutriderError:
                continue


def saved_path(update: ToolCallUpdate, engine: Engine) -> str | None:
    """The file that holds all of the output, where the engine says that there is one."""
    texts = (part.text for part in update.content or () if isinstance(part, ToolText))
    return next((path for text in texts if (path := engine.saved_output(text[:TEXT_CHARACTERS]))), None)


async def _keep(log: SavedLog, guest: Guest, world: World, actor: Actor) -> ToolLogKept | None:
    argv = ("sh", "-c", _READ, "sh", log.path, str(LOG_BYTES), str(LOG_BYTES // 2))
    result = await guest.run(ExecSpec(argv=argv), timeout_seconds=LOG_SECONDS, output_limit=LOG_BYTES + 1000)
    first, _, body = result.output.partition(b"\n")
    if result.exit_code != 0 or not first.strip().isdigit():
        return None
    clean = await asyncio.to_thread(world.redactor.text, body.decode(errors="replace"))
    data = clean.encode()
    artifact = await world.blobs.put(actor.state.session, data, media_type="text/plain; charset=utf-8")
    size = int(first.strip()[:18])
    return ToolLogKept(turn=log.turn, tool_call=log.tool_call, artifact=artifact, bytes=size, whole=size <= LOG_BYTES)
