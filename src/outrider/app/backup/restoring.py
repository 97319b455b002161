"""A backup's way into an empty home: unpacked and checked aside, then put in place by renames."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from outrider.app.backup import parts
from outrider.app.backup.mending import mend_alternates, mend_branches
from outrider.app.backup.reading import CHUNK_BYTES, Say, check_databases, unpack
from outrider.app.home import Home
from outrider.model.backup import BackupReport
from outrider.model.errors import BadRequest, Refused
from outrider.ports.layer_blobs import LayerBlobs


def expect_empty(home: Home) -> None:
    """Raises Refused where anything of a deployment is there. What any home makes again (layers, the owner's token) is
    in nobody's way."""
    for part in parts.PARTS:
        path = home.path / part
        if path.is_file() or (path.is_dir() and any(path.iterdir())):
            raise Refused(
                f"{home.path} is not empty: it has {part}.",
                "Restore into another home (OUTRIDER_HOME), or move this one away.",
            )


def newest_archive(path: Path) -> Path:
    """The file itself, or the newest backup in a folder. Raises BadRequest."""
    if not path.is_dir():
        return path
    found = sorted((*path.glob("outrider-*.tar"), *path.glob("outrider-*.tar.zst")))
    if not found:
        raise BadRequest(f"There is no backup in {path}.", "Name the file.")
    return found[-1]


async def restore(source: Path, home: Home, layers: LayerBlobs | None, say: Say) -> BackupReport:
    """Restore into a home that is claimed and empty; `layers` is where snapshots go, where that is not in the home.
    Cut off before everything was checked, it leaves a home as empty as before; after that, a home that no server
    starts in, and `finish` completes it. Raises BadRequest, Refused, OutriderError."""
    stage = home.restoring / "unpacked"
    await asyncio.to_thread(shutil.rmtree, home.restoring, ignore_errors=True)
    await asyncio.to_thread(expect_empty, home)
    try:
        report = await asyncio.to_thread(unpack, source, stage, say)
        await asyncio.to_thread(check_databases, stage)
        await asyncio.to_thread(mend_alternates, stage, home.path)
        await asyncio.to_thread(mend_branches, stage)
        if layers is not None:
            await _hand_over(stage / parts.LAYERS, layers)
        await asyncio.to_thread(os.sync)
    except BaseException:
        await asyncio.to_thread(shutil.rmtree, home.restoring, ignore_errors=True)
        raise
    home.unfinished_restore.touch()
    await asyncio.to_thread(finish, home)
    return report


def finish(home: Home) -> None:
    """Put in place what a restore has unpacked and checked. No error where some of it is in place already."""
    stage = home.restoring / "unpacked"
    for part in (*parts.PARTS, parts.TOKEN):
        if (stage / part).exists():
            target = home.path / part
            if target.is_dir():
                target.rmdir()  # empty, as was looked at before
            (stage / part).replace(target)
    shutil.rmtree(home.restoring)


async def _hand_over(folder: Path, layers: LayerBlobs) -> None:
    for path in await asyncio.to_thread(lambda: sorted(folder.glob("*"))):
        if not await layers.has(path.name):
            await layers.put(path.name, _chunks(path))
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
