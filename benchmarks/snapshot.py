"""B3: keep a sandbox's workspace and make another sandbox of it, beside plain copies of the same files."""

import asyncio
import io
import shutil
import subprocess
import tarfile
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import Figure, median
from benchmarks.product import STATE, fresh_home, with_sandboxes
from outrider.fleet.base_image import BaseImage
from outrider.model.ids import LayerId, SandboxId, new_id
from outrider.model.sandbox import GUEST_UID, SandboxHandle, SandboxSpec
from outrider.ports.clock import SystemClock
from outrider.ports.sandbox import ExecSpec
from outrider.sandboxes.namespaces.cgroups import find_cgroups
from outrider.sandboxes.namespaces.provider import NamespaceProvider

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = 20_000
FILE_BYTES = 50_000
"""Together 1 GB."""
FOLDERS = 200
CHANGED = 200
CHANGE = f"for i in $(seq {CHANGED}); do head -c {FILE_BYTES} /dev/urandom >d$((i % {FOLDERS}))/f$i; done"
LIMIT = 1.2
RESTORE_SECONDS = 1.0


@dataclass
class _Times:
    """Seconds, one for each repeat."""

    snapshot: list[float] = field(default_factory=list)
    restore: list[float] = field(default_factory=list)
    copy: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    pack: list[float] = field(default_factory=list)
    fresh: list[float] = field(default_factory=list)
    layer_copy: list[float] = field(default_factory=list)
    layer_unpack: list[float] = field(default_factory=list)


async def snapshot(*, quick: bool) -> list[Figure]:
    """Run it: with the workspace in an image below the sandbox, then with all of it written by the sandbox itself."""
    repeats = 2 if quick else 10
    with fresh_home() as home:
        async with with_sandboxes(home):
            provider = NamespaceProvider(STATE, SystemClock(), groups=find_cgroups())
            base = await BaseImage().ensure(provider)
            image = LayerId(new_id("bench"))
            await _add_workspace(provider, image)
            try:
                below = await _measure(provider, (base, image), "true", repeats)
                above = await _measure(provider, (base,), _copy_script(), repeats)
            finally:
                await provider.delete_layer(image)
    return [*_figures("workspace in the image", below, repeats), *_figures("workspace in the sandbox", above, repeats)]


def _copy_script() -> str:
    """Write the workspace from within: what an image's layer would hold."""
    return (
        f"for d in $(seq 0 {FOLDERS - 1}); do mkdir -p d$d; "
        f"head -c {FILE_BYTES * FILES // FOLDERS} /dev/urandom | split -a 3 -d -b {FILE_BYTES} - d$d/g; done"
    )


async def _add_workspace(provider: NamespaceProvider, layer: LayerId) -> None:
    with tempfile.NamedTemporaryFile(dir=STATE) as file:
        await asyncio.to_thread(_write_workspace, Path(file.name))
        await provider.add_layer(layer, Path(file.name))


def _write_workspace(path: Path) -> None:
    with Path("/dev/urandom").open("rb") as noise, tarfile.open(path, "w") as tar:
        for number in range(FILES):
            if number < FOLDERS:
                folder = tarfile.TarInfo(f"workspace/d{number}")
                folder.type, folder.mode, folder.uid, folder.gid = tarfile.DIRTYPE, 0o755, GUEST_UID, GUEST_UID
                tar.addfile(folder)
            entry = tarfile.TarInfo(f"workspace/d{number % FOLDERS}/f{number}")
            entry.size, entry.uid, entry.gid = FILE_BYTES, GUEST_UID, GUEST_UID
            tar.addfile(entry, io.BytesIO(noise.read(FILE_BYTES)))


async def _measure(provider: NamespaceProvider, layers: tuple[LayerId, ...], fill: str, repeats: int) -> _Times:
    times = _Times()
    handle = await provider.create(SandboxSpec(id=SandboxId(new_id("sb")), layers=layers))
    upper = provider.state.guest / "boxes" / handle.id / "upper"
    whole = provider.state.layer(layers[-1]) / "workspace" if len(layers) > 1 else upper / "workspace"
    try:
        await _run(provider, handle, fill)
        await provider.snapshot(handle, first := LayerId(new_id("bench")))
        # A change within two seconds of a snapshot counts as new, and a benchmark must not pay for that.
        await asyncio.sleep(2.1)
        for _ in range(repeats):
            await _run(provider, handle, CHANGE)
            kept = LayerId(new_id("bench"))
            times.snapshot.append(await _timed(provider.snapshot(handle, kept)))
            times.copy.append(await asyncio.to_thread(_primitive, whole, "cp"))
            times.pack.append(await asyncio.to_thread(_primitive, whole, "tar"))
            times.upper.append(await asyncio.to_thread(_primitive, upper, "cp"))
            times.restore.append(await _timed(_first_command(provider, (*layers, kept))))
            times.fresh.append(await _timed(_first_command(provider, layers)))
            times.layer_copy.append(await asyncio.to_thread(_primitive, provider.state.layer(kept), "cp"))
            times.layer_unpack.append(await asyncio.to_thread(_unpack, provider.state.layer(kept)))
            await provider.delete_layer(first)
            first = kept
        await provider.delete_layer(first)
    finally:
        await provider.destroy(handle)
    return times


async def _run(provider: NamespaceProvider, handle: SandboxHandle, script: str) -> None:
    async with await provider.connect(handle) as guest:
        done = await guest.run(ExecSpec(argv=["sh", "-c", script], cwd="/workspace"), timeout_seconds=300)
    assert done.exit_code == 0, done.output


async def _first_command(provider: NamespaceProvider, layers: tuple[LayerId, ...]) -> None:
    handle = await provider.create(SandboxSpec(id=SandboxId(new_id("sb")), layers=layers))
    try:
        await _run(provider, handle, "true")
    finally:
        await provider.destroy(handle)


async def _timed(work: "asyncio.Future[object] | object") -> float:
    started = time.perf_counter()
    await work  # type: ignore[misc]
    return time.perf_counter() - started


def _primitive(source: Path, how: str) -> float:
    """A copy that shares blocks where it can, or a packed stream; on the same file system."""
    target = STATE / f"copy-{new_id('x')}"
    argv = {
        "cp": ["cp", "-a", "--reflink=auto", str(source), str(target)],
        "tar": ["sh", "-c", f"tar -C '{source}' -cf - . | zstd -q -1 -T0 -o '{target}'"],
    }[how]
    started = time.perf_counter()
    done = subprocess.run(argv, check=False)
    seconds = time.perf_counter() - started
    _remove(target)
    return seconds if done.returncode == 0 else float("inf")


def _unpack(layer: Path) -> float:
    """The same files out of a packed stream, which was written before."""
    packed, target = STATE / f"packed-{new_id('x')}", STATE / f"copy-{new_id('x')}"
    try:
        pack = subprocess.run(["sh", "-c", f"tar -C '{layer}' -cf - . | zstd -q -1 -T0 -o '{packed}'"], check=False)
        target.mkdir()
        started = time.perf_counter()
        done = subprocess.run(["sh", "-c", f"zstd -q -dc '{packed}' | tar -C '{target}' -xf -"], check=False)
        seconds = time.perf_counter() - started
        return seconds if pack.returncode == done.returncode == 0 else float("inf")
    finally:
        _remove(target)
        _remove(packed)


def _remove(target: Path) -> None:
    remove: Callable[[Path], None] = shutil.rmtree if target.is_dir() else Path.unlink
    if target.exists():
        remove(target)


def _figures(where: str, times: _Times, repeats: int) -> list[Figure]:
    workload = f"1 GB, {FILES} files, {CHANGED} changed, {where}, median of {repeats}"
    ours, restore = median(times.snapshot) * 1000, median(times.restore) * 1000
    copy, pack = median(times.copy) * 1000, median(times.pack) * 1000
    fastest, name = min((copy, "cp --reflink=auto of the workspace"), (pack, "tar | zstd -1 of the workspace"))
    upper, fresh = median(times.upper) * 1000, median(times.fresh) * 1000
    return [
        Figure(f"B3 snapshot, {where}", workload, ours, "ms", fastest, name, f"<= {LIMIT} x", ours <= LIMIT * fastest),
        Figure(f"B3 snapshot, {where}, bare", workload, ours, "ms", upper, "cp of what was written", "", None),
        Figure(
            f"B3 restore to first command, {where}", workload, restore, "ms", fresh, "a sandbox without the snapshot",
            f"<= {RESTORE_SECONDS:g} s", restore <= RESTORE_SECONDS * 1000,
        ),
        restore_figure(where, workload, times),
    ]  # fmt: skip


def restore_figure(where: str, workload: str, times: _Times) -> Figure:
    """Restoring beside what plain means need for as much: the files of the layer put in place, and a sandbox without
    them started."""
    ours, fresh = median(times.restore) * 1000, median(times.fresh) * 1000
    copy, unpack = median(times.layer_copy) * 1000, median(times.layer_unpack) * 1000
    files, how = min((copy, "cp --reflink=auto of the layer"), (unpack, "zstd -d | tar of the layer"))
    name = f"B3 restore, {where}, beside plain means"
    if files == float("inf"):
        return Figure(
            name, "its files cannot be read by whoever runs this", None, "ms", None, how, f"<= {LIMIT} x", None
        )
    note = f"{workload}; the files alone take {files:.3g} ms"
    beside = fresh + files
    return Figure(name, note, ours, "ms", beside, f"{how}, and a sandbox", f"<= {LIMIT} x", ours <= LIMIT * beside)
