"""Sandboxes: who makes them (`SandboxProvider`) and what can be done inside one (`Guest`).

A provider does only what is particular to it. Whatever happens inside goes over one byte stream to the guest's sshd
and is written once (`outrider.sandboxes.guest`). The guest is hostile input: its sshd may be killed or replaced by what
runs in it, and any answer may be a lie.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from outrider.model.ids import LayerId, SandboxId
from outrider.model.sandbox import GUEST_HOME, LayerInfo, ProbeReport, SandboxHandle, SandboxInfo, SandboxSpec


@dataclass(frozen=True, slots=True)
class ExecSpec:
    """A command to run in the guest, as its user, in `cwd`, with `env` added to a small clean environment."""

    argv: Sequence[str]
    cwd: str = GUEST_HOME
    env: Mapping[str, str] = field(default_factory=dict)
    pty: tuple[int, int] | None = None
    """Columns and rows of a terminal, or None for plain pipes."""


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a finished command left. Output beyond the limit was dropped from the middle and `truncated` says so."""

    exit_code: int
    """The exit status; 128 + signal number where a signal ended it."""
    output: bytes
    """stdout and stderr in the order in which they came."""
    truncated: bool
    timed_out: bool


class Process(Protocol):
    """A running command in the guest."""

    async def write(self, data: bytes) -> None:
        """Send bytes to its stdin; waits while the guest does not read. Raises SandboxLost."""

    async def close_stdin(self) -> None:
        """Send end of file."""

    def stdout(self) -> AsyncIterator[bytes]:
        """Its stdout in chunks until it ends; one reader. Memory stays bounded: the guest waits for the reader."""

    def stderr(self) -> AsyncIterator[bytes]:
        """Likewise for stderr (empty with a pty, where both are one)."""

    async def signal(self, name: str) -> None:
        """Send a signal by its name without SIG, to the command and all that it started in its process group."""

    async def resize(self, columns: int, rows: int) -> None:
        """Tell the terminal's new size. Only with a pty."""

    async def wait(self) -> int:
        """Its exit code (128 + signal where a signal ended it). Raises SandboxLost if the guest went away first."""


class Guest(Protocol):
    """A live connection to the inside of one sandbox. Use as an async context manager; leaving it closes the
    connection and ends what was started through it, never the sandbox."""

    sandbox: SandboxId

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def start(self, spec: ExecSpec) -> Process:
        """Start a command and return at once. Raises SandboxLost."""

    async def run(
        self, spec: ExecSpec, *, stdin: bytes = b"", timeout_seconds: float = 60, output_limit: int = 1 << 20
    ) -> ExecResult:
        """Run a command to its end. After `timeout_seconds` its process group is killed and `timed_out` is set; when
        this call is cancelled it is killed too."""

    async def put(self, path: str, tar: AsyncIterator[bytes]) -> None:
        """Unpack a tar stream below the folder `path` (made where missing), modes and symlinks kept."""

    def get(self, path: str, *, limit_bytes: int) -> AsyncIterator[bytes]:
        """The folder or file `path` as a tar stream, made by the guest and not to be trusted: unpack it with the
        `data` filter. Raises LimitReached beyond `limit_bytes`."""

    async def dial(self, port: int) -> tuple["ByteReader", "ByteWriter"]:
        """Connect to a loopback port in the guest."""

    async def forward(self, port: int, socket_path: Path) -> None:
        """Listen on a loopback port in the guest and splice each connection to a Unix socket on our side, for as
        long as this connection lives. A port that is taken is a SandboxError: forwards open before anything of
        the repository runs."""

    async def kill_everything(self, *, spare: Sequence[str] = ()) -> int:
        """Kill every process of the guest's user but sshd, what carries this connection, and those whose
        environment holds one of `spare` as OUTRIDER_ROLE: a command that was started here, with its session; of
        “service” also detached ones, with all below them. Returns how many were killed. Repeats until none is left."""

    async def wait_lost(self) -> str:
        """Return, with the reason, when the connection has ended for whatever cause."""


class ByteReader(Protocol):
    """The reading end of a byte stream, as asyncio's StreamReader."""

    async def read(self, n: int = -1) -> bytes:
        """Up to n bytes; empty at the end."""


class ByteWriter(Protocol):
    """The writing end of a byte stream, as asyncio's StreamWriter."""

    def write(self, data: bytes) -> None:
        """Queue bytes."""

    async def drain(self) -> None:
        """Wait until the other side keeps up."""

    def write_eof(self) -> None:
        """Say that no more comes."""

    def close(self) -> None:
        """Close both directions."""


Tell = Callable[[SandboxId, str], Awaitable[None]]
"""Takes the sentence to be shown in the session of that sandbox."""


class Watchdog(Protocol):
    """Keeps the limits that a provider's own means do not keep, and says in words what any limit has ended."""

    async def run(self) -> None:
        """Make rounds until cancelled: belongs into a task of the application's root group."""

    async def look(self) -> None:
        """One round over the running sandboxes."""


class Layers(Protocol):
    """Keeps the layers that sandboxes are made from."""

    async def has_layer(self, layer: LayerId) -> bool:
        """Whether the layer is complete and usable."""

    async def add_layer(self, layer: LayerId, tar: Path) -> None:
        """Unpack a tar (uid and gid as in the guest) as a layer. Atomic: a killed call leaves no layer."""

    def export_layer(self, layer: LayerId) -> AsyncIterator[bytes]:
        """The layer as a tar stream that `add_layer` of the same provider takes back, deletions and modes kept; the
        same layer gives the same bytes. The provider waits for the reader. Raises NotFound, SandboxError."""

    async def delete_layer(self, layer: LayerId) -> None:
        """Delete a layer that no sandbox uses."""

    async def list_layers(self) -> Sequence[LayerInfo]:
        """The complete layers that exist now. Quick, however large they are: nothing is measured."""

    async def layer_bytes(self, layers: Collection[LayerId]) -> int:
        """What these take on disk together, none for one that does not exist; files that layers share count in each.
        Looks at every file of a layer that was not measured before."""

    async def squash(self, layers: Sequence[LayerId], into: LayerId, *, below: Sequence[LayerId] = ()) -> LayerId:
        """One layer that shows above `below` the same files as these do (all bottom first). They stay. An existing
        layer wins. Raises SandboxError where one of them is missing."""


class SandboxProvider(Layers, Protocol):
    """Makes sandboxes of one kind on this deployment, and keeps the layers that they are made from."""

    name: str

    async def probe(self) -> ProbeReport:
        """Start a bare sandbox, run `true` in it, and say what is in force. Never raises for a part that is missing."""

    async def create(self, spec: SandboxSpec) -> SandboxHandle:
        """Make and start a sandbox. It outlives this process. Raises SandboxError; leaves nothing behind then."""

    async def connect(self, handle: SandboxHandle) -> Guest:
        """Connect to the guest of a running sandbox. Raises SandboxLost where it is not running."""

    async def list(self, labels: Mapping[str, str]) -> Sequence[SandboxInfo]:
        """The sandboxes that exist now and carry all these labels, running or stopped. The truth after a restart."""

    async def relabel(self, handle: SandboxHandle, labels: Mapping[str, str]) -> None:
        """Replace its labels, all of them at once, whether it runs or not. It is another's from now on: its wall time
        begins anew, and it is in the background no more. Survives our death. Raises SandboxLost where it does not
        exist."""

    async def stop(self, handle: SandboxHandle) -> None:
        """Kill every process of it and free its memory; its files are kept. No error where it is not running."""

    async def start(self, handle: SandboxHandle) -> None:
        """Start a stopped sandbox again with its files. No error where it is running."""

    async def freeze(self, handle: SandboxHandle, layer: LayerId) -> LayerId:
        """Turn what the sandbox wrote into a layer of that id, and destroy the sandbox. An existing layer wins."""

    async def snapshot(self, handle: SandboxHandle, layer: LayerId) -> LayerId:
        """Keep all that the sandbox has written as a layer of that id, without the rights that a session may have
        given to its files. The sandbox goes on; its processes stand still meanwhile, also where we are killed, until
        somebody connects again. An existing layer wins. Raises SandboxLost where it does not exist, SandboxError where
        the disk is full; no layer is left then."""

    async def destroy(self, handle: SandboxHandle) -> None:
        """Leave nothing of it: processes, mounts, cgroups, files. No error where nothing is left."""

    async def settle(self) -> None:
        """Have every layer, and every sandbox that does not run, outlive a loss of power from now on: called where the
        server ends. Never raises."""

    def watchdog(self, tell: Tell) -> Watchdog:
        """The one watchdog of this provider's sandboxes; `tell` hears of every stop and of every process killed for
        want of memory."""
