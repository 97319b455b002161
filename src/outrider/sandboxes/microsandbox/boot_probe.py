"""The boot probe: whether this machine really boots a microVM. That a KVM device is there, and opens, proves nothing.

It runs in a process of its own, which is ended at the deadline, and its verdict is kept: a boot that fails takes as
long as one lets it.
"""

import asyncio
import importlib.util
import json
import os
import platform
import signal
import sys
from datetime import datetime, timedelta
from importlib import metadata
from pathlib import Path

from pydantic import ValidationError

from outrider.model.base import Model
from outrider.ports.clock import Clock
from outrider.sandboxes.true_program import true_program

PACKAGE = "microsandbox"

DEADLINE_SECONDS = 12.0
"""Longest wait for a boot. Vendors say a tenth of a second, third parties one."""

KEPT = timedelta(days=1)

NOT_INSTALLED = "The package microsandbox is not installed"
INSTALL = "Run: pip install 'outrider[microsandbox]'. It needs a machine with KVM, not only a KVM device."

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

SCRIPT = """
import asyncio, sys
from microsandbox import Image, Network, Sandbox

async def main(name, root):
    made = await Sandbox.create(
        name, image=Image.bind(root), memory=128, cpus=1, network=Network.none(), replace=True, ephemeral=True)
    try:
        ended = await made.exec("/true", timeout=5.0)
    finally:
        await made.destroy(force=True)
    sys.exit(0 if ended.exit_code == 0 else f"true ended with {ended.exit_code}")

asyncio.run(main(*sys.argv[1:]))
"""


class Verdict(Model):
    """What a boot came to, for the machine, the kernel and the version that it was tried with."""

    facts: tuple[str, ...]
    at: datetime
    booted: bool
    why: str = ""


def installed_version() -> str:
    """The version of the package; empty where it is not installed."""
    return metadata.version(PACKAGE) if importlib.util.find_spec(PACKAGE) else ""


class BootProbe:
    """Boots a microVM that runs `true`, at most once a day and boot of the machine."""

    def __init__(self, folder: Path, clock: Clock, *, script: str = SCRIPT, deadline: float = DEADLINE_SECONDS) -> None:
        """`script` is run with the names of the sandbox and of a folder that holds `true`."""
        self._folder = folder
        self._clock = clock
        self._script = script
        self._deadline = deadline

    async def verdict(self) -> Verdict:
        """Whether it boots, kept or new. Never raises for a machine that does not."""
        facts = (installed_version(), platform.release(), _boot_id())
        kept = self._kept()
        if kept and kept.facts == facts and self._clock.now() - kept.at < KEPT:
            return kept
        why = await self._boot()
        fresh = Verdict(facts=facts, at=self._clock.now(), booted=not why, why=why)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self._folder / "verdict.json").write_text(fresh.model_dump_json())
        return fresh

    def _kept(self) -> Verdict | None:
        try:
            return Verdict.model_validate_json((self._folder / "verdict.json").read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    async def _boot(self) -> str:
        """Why it does not boot; empty where it does."""
        root = self._folder / "probe-root"
        root.mkdir(parents=True, exist_ok=True)
        (root / "true").write_bytes(true_program())
        (root / "true").chmod(0o755)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", self._script, "outrider-probe", str(root), start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(self._deadline):
                _, errors = await process.communicate()
        except TimeoutError:
            # The VM's own process is in the group of its parent.
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            return f"a microVM did not boot within {self._deadline:g} s"
        lines = errors.decode(errors="replace").strip().splitlines()
        return "" if process.returncode == 0 else f"a microVM did not boot: {lines[-1][:300] if lines else 'no word'}"


def _boot_id() -> str:
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return json.dumps(None)
