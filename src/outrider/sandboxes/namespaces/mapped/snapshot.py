"""Keep what a sandbox has written while it goes on: a layer is made of its upper folder as it is in one moment."""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from outrider.sandboxes.namespaces.mapped import btrfs, files, still, userns
from outrider.sandboxes.namespaces.mapped.copying import FOLDER, Copier, Earlier
from outrider.sandboxes.namespaces.mapped.userns import IdMap

MANIFEST = "taken.json"
"""In the box's own folder, which no sandbox sees: the newest snapshot of it and what that one saw."""


def snapshot(ids: IdMap, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make `layer` of the upper folder of `box`. Processes named by `still` stand still meanwhile. However the call
    ends they go on, and what is half made is deleted."""
    fresh = Path("layers", f".new-{request['layer']}-{os.getpid()}")
    try:
        with still.standing_still(request["still"]) if request["still"] else nullcontext():
            userns.run_mapped(ids, lambda: _take(request, fresh))
    except BaseException:
        userns.run_mapped(ids, lambda: shutil.rmtree(fresh, ignore_errors=True))
        raise
    return {}


def go_on(_ids: IdMap, request: Mapping[str, Any]) -> dict[str, Any]:
    """Let a sandbox go on that a killed call has left standing still."""
    still.go_on(request["still"])
    return {}


def _take(request: Mapping[str, Any], fresh: Path) -> None:
    box, layer, strip = Path(request["box"]), request["layer"], bool(request["strip"])
    if btrfs.snapshot_upper(box, fresh):
        _hold(fresh)
        if strip:
            files.strip(fresh)
        files.rename_first(fresh, Path("layers", layer))
        return
    fresh.mkdir()
    _hold(fresh)
    manifest = _copy(box, fresh, strip)
    files.rename_first(fresh, Path("layers", layer))
    (box / f"{MANIFEST}.new").write_text(json.dumps({"layer": layer, **manifest}))
    (box / f"{MANIFEST}.new").rename(box / MANIFEST)


def _hold(folder: Path) -> None:
    """Say for as long as this process lives that the folder is being made: `sweep` leaves it alone."""
    fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_EX)


def _copy(box: Path, fresh: Path, strip: bool) -> dict[str, Any]:
    now = time.time_ns()
    source, target = os.open(box / "upper", FOLDER), os.open(fresh, FOLDER)
    copier = Copier(strip, _earlier(box))
    copier.copy(source, target)
    return {"at": now, "files": copier.seen}


def _earlier(box: Path) -> Earlier | None:
    try:
        known = json.loads((box / MANIFEST).read_text())
        folder = os.open(Path("layers", known["layer"]), FOLDER)
    except (OSError, ValueError):
        return None
    return Earlier(folder, known["at"], {path: (row[0], row[1]) for path, row in known["files"].items()})
