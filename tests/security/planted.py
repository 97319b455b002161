"""What is planted from outside, with more rights than a guest has: capabilities of files, and canaries of the host."""

import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from inside import CANARY

from outrider.model.ids import LayerId
from outrider.model.sandbox import SandboxHandle
from outrider.ports.sandbox import SandboxProvider
from outrider.sandboxes.docker.provider import DockerProvider
from outrider.sandboxes.namespaces.ids import find_host_ids
from outrider.sandboxes.namespaces.provider import NamespaceProvider

ATTRIBUTE = "security.capability"

DAC_OVERRIDE, SETUID = 1, 7
"""Two of those that guest root of a build has: a file may give no more than its starter is bounded by."""

TRUE_CAPABILITIES = struct.pack("<5I", 0x0200_0000, 1 << DAC_OVERRIDE | 1 << SETUID, 0, 0, 0)
EFFECTIVE_CAPABILITIES = struct.pack("<5I", 0x0200_0001, 1 << DAC_OVERRIDE | 1 << SETUID, 0, 0, 0)
"""Of a file that gives both, to a program that asks for them, and at once: its second version (linux/capability.h)."""

SET_MAPPED = """
import json, os, sys
from outrider.sandboxes.namespaces.mapped.userns import run_joined
init, path, value = json.load(sys.stdin)
run_joined(init, lambda: os.setxattr(path, "security.capability", bytes.fromhex(value)))
assert os.getxattr(path, "security.capability")
"""

RUN_MAPPED = """
import json, os, sys
from outrider.sandboxes.namespaces.mapped import mounts
from outrider.sandboxes.namespaces.mapped.userns import IdMap, run_mapped
guest, base, layer, ids, argv = json.load(sys.stdin)
os.chdir(guest)

def work():
    mounts.private_namespace()
    mounts.mount(f"layers/{layer}", f"layers/{base}/mnt", "", mounts.MS_BIND)
    mounts.mount("/proc", f"layers/{base}/proc", "", mounts.MS_BIND | mounts.MS_REC)
    os.chroot(f"layers/{base}")
    os.chdir("/")
    os.setresgid(1000, 1000, 1000)
    os.setresuid(1000, 1000, 1000)
    os.execv(argv[0], argv)

run_mapped(IdMap(**ids), work)
"""

CANARY_NAME = f"{CANARY}-file"

CANARY_TEXT = f"{CANARY}\n" * 101
"""Of a size that hardly any other file has: so it is found by content without reading all that there is."""


@contextmanager
def canaries(state: Path) -> Iterator[list[Path]]:
    """Files that everyone on the host may read: where everyone comes, beside a provider's state, in it and beside its
    layers, as far as we may write there. A closed folder above keeps out whoever comes from the host's root, and nobody
    who gets at a mount of what is below."""
    places = [Path("/tmp"), state.parent, state, *(state / name for name in ("guest", "guest/layers", "data"))]
    made = [place / CANARY_NAME for place in places if place.is_dir() and os.access(place, os.W_OK)]
    try:
        for folder in made:
            folder.mkdir()
            folder.chmod(0o755)
            (folder / CANARY_NAME).write_text(CANARY_TEXT)
            (folder / CANARY_NAME).chmod(0o644)
        yield [folder / CANARY_NAME for folder in made]
    finally:
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)


def read_as_nobody(path: Path) -> str:
    """What an id that owns nothing reads on the host. Only root may ask."""
    argv = ["cat", str(path)]
    return subprocess.run(
        argv, user=65534, group=65534, extra_groups=[], capture_output=True, text=True, check=False
    ).stdout


async def give(provider: SandboxProvider, handle: SandboxHandle, path: str, value: bytes) -> None:
    """Set the capabilities of a file of a running sandbox, as whoever owns its user namespace may."""
    if isinstance(provider, NamespaceProvider):
        pids = provider.state.pids(handle.id)
        assert pids
        _python(SET_MAPPED, (pids.inner, f"/proc/{pids.inner[0]}/root{path}", value.hex()))
        return
    assert isinstance(provider, DockerProvider)
    row = await provider.api.get(f"/containers/outrider-{provider.state.home()}-{handle.id}/json")
    os.setxattr(f"/proc/{row['State']['Pid']}/root{path}", ATTRIBUTE, value)


def run_without_walls(provider: NamespaceProvider, base: LayerId, layer: LayerId, argv: Sequence[str]) -> str:
    """What a program of a layer prints for the session's user where nothing but the map of ids is around it. The layer
    is at /mnt of the base."""
    ids = find_host_ids().as_request()
    return _python(RUN_MAPPED, (str(provider.state.guest), base, layer, ids, argv))


def _python(script: str, request: object) -> str:
    """A process of its own: it changes namespaces."""
    argv = [sys.executable, "-c", script]
    done = subprocess.run(argv, input=json.dumps(request), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
