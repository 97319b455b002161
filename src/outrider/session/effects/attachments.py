"""The files of prompts: laid into the workspace where git does not see them, and handed to the engine."""

import io
import tarfile
from collections.abc import AsyncIterator, Iterable

from outrider.model.attachment import Attachment
from outrider.model.commands import Report
from outrider.model.errors import NotFound, SandboxError
from outrider.model.events import ProblemReported
from outrider.model.sandbox import SYNC_ROLE, WORKSPACE
from outrider.ports.engine import FilePart, ImagePart, Part
from outrider.ports.sandbox import ExecSpec, Guest
from outrider.session import wording
from outrider.session.actor import Actor
from outrider.session.state import Turn
from outrider.session.workbench import Workbench

FOLDER = ".outrider/attachments"
"""Below the workspace, and named in `.git/info/exclude`."""

SHOWN_BYTES = 4 << 20
"""Images of one prompt that are shown to the model itself, together; vendors take 5 MB as text, so 3.75 each. Others
are files to look at."""

LARGEST_IMAGE_BYTES = 3_750_000

_MISSING = """set -eu
exclude=$(git rev-parse --git-path info/exclude)
mkdir -p "$(dirname "$exclude")" "$1"
grep -qsxF "/$1/" "$exclude" || echo "/$1/" >>"$exclude"
shift
for place; do test -e "$place" || printf '%s\\n' "$place"; done
"""


async def hand_files(guest: Guest, turn: Turn, bench: Workbench, actor: Actor) -> list[Part]:
    """What the engine is given beside the words. Nothing, and at no cost, where no prompt has ever had a file. Raises
    SandboxError."""
    files = actor.state.attachments
    if not files or turn.round > 1:
        return []
    gone = await _lay(guest, files.values(), bench, actor)
    mine = [file for file in turn.prompt.attachments if file not in gone]
    if not mine:
        return []
    parts: list[Part] = [wording.attached(f"{FOLDER}/{file.place}" for file in mine)]
    left = SHOWN_BYTES
    for file in mine:
        part = FilePart(f"{WORKSPACE}/{FOLDER}/{file.place}", file.name, file.media_type, file.size)
        shown = file.is_image and file.size <= min(left, LARGEST_IMAGE_BYTES)
        left -= file.size if shown else 0
        parts.append(ImagePart(await bench.world.attachments.read(file.id), part) if shown else part)
    return parts


async def _lay(guest: Guest, files: Iterable[Attachment], bench: Workbench, actor: Actor) -> list[Attachment]:
    """Put the files that are missing where they belong: a workspace that was made again has none. Returns those that
    are kept no more, after saying so."""
    by_place = {f"{FOLDER}/{file.place}": file for file in files}
    spec = ExecSpec(
        argv=["sh", "-c", _MISSING, "sh", FOLDER, *by_place], cwd=WORKSPACE, env={"OUTRIDER_ROLE": SYNC_ROLE}
    )
    result = await guest.run(spec)
    if result.exit_code:
        said = result.output.decode(errors="replace").strip()[-500:]
        raise SandboxError(f"The attachments could not be laid into the workspace: {said}")
    gone = []
    for place in result.output.decode(errors="replace").splitlines():
        if file := by_place.get(place):
            try:
                data = await bench.world.attachments.read(file.id)
            except NotFound:
                gone.append(file)
                await actor.ask(Report(ProblemReported(sentence=f"The attachment {file.name} is kept no more.")))
                continue
            await guest.put(f"{WORKSPACE}/{FOLDER}", _tar(file.place, data))
    return gone


async def _tar(place: str, data: bytes) -> AsyncIterator[bytes]:
    """One file as a tar stream."""
    entry = tarfile.TarInfo(place)
    entry.size, entry.mode = len(data), 0o644
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(entry, io.BytesIO(data))
    packed = buffer.getvalue()
    for start in range(0, len(packed), 1 << 16):
        yield packed[start : start + (1 << 16)]
