"""Entry of the helper program: one request in, one answer out."""

import importlib
import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from outrider.sandboxes.namespaces.mapped.userns import Failure, IdMap

MODULES = {
    "launch": "launch", "probe": "launch", "squash": "squash", "snapshot": "snapshot", "go_on": "snapshot",
    "nameless": "nameless",
}  # fmt: skip
"""Where an operation is; the others are in `files`, which imports more than a launch should wait for."""


def main() -> None:
    """Read the request, do it with the guest folder as working folder, print the answer."""
    signal.signal(signal.SIGTERM, _terminated)
    request = json.load(sys.stdin)
    try:
        os.chdir(request["guest"])
        name = request["operation"]
        module = importlib.import_module(f"{__package__}.{MODULES.get(name, 'files')}")
        answer = getattr(module, name)(IdMap(**request["ids"]), _with_files(request))
    except Failure as failure:
        answer = failure.answer
    except OSError as error:
        answer = {"failed": request["operation"], "errno": error.errno or 0, "detail": str(error)}
    if request["operation"] == "export":
        sys.stderr.write(json.dumps(answer))
        return
    sys.stdout.write(json.dumps(answer))


def _with_files(request: dict[str, Any]) -> dict[str, Any]:
    """Open what only the person may open, and join the cgroups, while still being the person."""
    for procs in request.get("cgroup_procs", ()):
        Path(procs).write_text(str(os.getpid()))
    if "log" in request:
        request["log_fd"] = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        request["null_fd"] = os.open("/dev/null", os.O_RDWR)
        request["seccomp_fd"] = os.open(request["seccomp"], os.O_RDONLY)
    return request


def _terminated(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)
