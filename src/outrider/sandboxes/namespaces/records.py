"""What we keep on disk about each sandbox: enough to find it again after our own death."""

import fcntl
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from outrider.model.base import Model
from outrider.model.ids import LayerId, SandboxId
from outrider.model.sandbox import SandboxHandle, SandboxInfo
from outrider.sandboxes import records
from outrider.sandboxes.namespaces.processes import ProcessIdentity
from outrider.sandboxes.namespaces.unsynced import Unsynced, boot_id
from outrider.sandboxes.records import read_model, write_whole

PROVIDER = "namespaces"


class Record(records.Record):
    """One sandbox as it was asked for, and the control groups that it was put into."""

    cgroups: tuple[Path, ...] = ()


class Pids(Model):
    """The processes that hold a sandbox: bubblewrap outside, and the sandbox's own init."""

    outer: tuple[int, int]
    inner: tuple[int, int]

    def identities(self) -> tuple[ProcessIdentity, ProcessIdentity]:
        """Init first: when it dies the kernel kills all of the sandbox, and bubblewrap outside ends by itself."""
        return ProcessIdentity(*self.inner), ProcessIdentity(*self.outer)


class StateFolder:
    """The provider's folder:

    sandboxes/ID/       ours, 0700: record.json, pids.json, launch.log
    guest/layers/ID/    the guest ids': one complete layer each
    guest/boxes/ID/     the guest ids': upper, work, run (keys and the socket of one sandbox)
    guest/trash/        the guest ids': what is being deleted
    below/ID            ours: what a snapshot stands on
    unsynced/BOOT/      ours: a mark for each layer and box that may not be on the disk yet
    """

    def __init__(self, path: Path, boot: str | None = None) -> None:
        self.path = path
        self.unsynced = Unsynced(path / "unsynced", boot or boot_id())
        self.guest = path / "guest"
        self.sandboxes = path / "sandboxes"
        self.seccomp = path / "seccomp.bpf"

    def prepare(self, filter_program: Callable[[], bytes]) -> None:
        """Make our folders. Until the first helper has made its own in it, the guest folder is open to all; the folder
        around it is not."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path.chmod(0o700)
        self.sandboxes.mkdir(exist_ok=True, mode=0o700)
        if not (self.guest / "trash").is_dir():
            self.guest.mkdir(exist_ok=True)
            self.guest.chmod(0o777)
        self.seccomp.write_bytes(filter_program())

    def layer(self, name: str) -> Path:
        """Where a complete layer is."""
        return self.guest / "layers" / name

    def own(self, sandbox: SandboxId) -> Path:
        """Our folder of one sandbox."""
        return self.sandboxes / sandbox

    def socket(self, sandbox: SandboxId) -> Path:
        """Where the guest listens for SSH."""
        return self.guest / "boxes" / sandbox / "run" / "ssh.sock"

    @contextmanager
    def working(self, sandbox: SandboxId) -> Iterator[int]:
        """A lock that says that the sandbox is being started or kept. The helper inherits it, so that it holds for as
        long as that goes on, even if this process dies. Raises BlockingIOError where another holds it."""
        with (self.own(sandbox) / "lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield lock.fileno()

    def wait_worked(self, sandbox: SandboxId) -> None:
        """Wait until nothing starts or keeps the sandbox. Blocks, for as long as the helper lets that take."""
        try:
            with (self.own(sandbox) / "lock").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
        except FileNotFoundError:
            return

    def write(self, record: Record) -> None:
        """Store the record, whole or not at all."""
        folder = self.own(record.spec.id)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(folder / "record.json", record.model_dump_json())
        frozen_marker(self, record.spec.id).unlink(missing_ok=True)

    def read(self, sandbox: SandboxId) -> Record | None:
        """The record, or None where the sandbox does not exist; one whose files have become a layer does not, though
        a killed call may have left its folders."""
        record = recorded(self, sandbox)
        frozen = frozen_marker(self, sandbox)
        return None if record and frozen.exists() and self.layer(frozen.read_text()).exists() else record

    def pids(self, sandbox: SandboxId) -> Pids | None:
        """The processes of its last start, dead or alive."""
        return read_model(self.own(sandbox) / "pids.json", Pids)

    def running(self, sandbox: SandboxId) -> bool:
        """Whether its init is alive."""
        pids = self.pids(sandbox)
        return pids is not None and pids.identities()[0].alive()

    def records(self) -> Iterator[Record]:
        """Every sandbox that exists."""
        for folder in sorted(self.sandboxes.iterdir()) if self.sandboxes.exists() else ():
            record = self.read(SandboxId(folder.name))
            if record:
                yield record

    def infos(self) -> list[SandboxInfo]:
        """Every sandbox that exists, as the port tells it."""
        suspects = self.unsynced.suspects("box")
        return [
            SandboxInfo(
                handle=handle_of(record),
                labels=record.spec.labels,
                running=self.running(record.spec.id),
                layers=record.spec.layers,
                toolbox=record.spec.toolbox,
                suspect=record.spec.id in suspects,
            )
            for record in self.records()
        ]

    def orphans(self) -> list[str]:
        """Guest folders that no record knows: a killed `create` or `destroy` left them. The record comes first and goes
        last, so nothing that another call is making now is among them."""
        found = [box.name for box in (self.guest / "boxes").iterdir()]
        return [name for name in found if name != "probe" and self.read(SandboxId(name)) is None]

    def forget(self, sandbox: SandboxId) -> None:
        """Remove our folder of it."""
        shutil.rmtree(self.own(sandbox), ignore_errors=True)


def handle_of(record: Record) -> SandboxHandle:
    """How everyone else knows this sandbox."""
    return SandboxHandle(id=record.spec.id, provider=PROVIDER)


def still_marker(state: StateFolder, sandbox: SandboxId) -> Path:
    """Exists while the sandbox may be standing still."""
    return state.own(sandbox) / "still"


def frozen_marker(state: StateFolder, sandbox: SandboxId) -> Path:
    """Names the layer that the sandbox's files become."""
    return state.own(sandbox) / "frozen"


def recorded(state: StateFolder, sandbox: SandboxId) -> Record | None:
    """The record, whatever has become of the sandbox."""
    return read_model(state.own(sandbox) / "record.json", Record)


def note_below(state: StateFolder, layer: LayerId, below: Sequence[LayerId]) -> None:
    """Keep what a snapshot stands on: nobody deletes that before it."""
    folder = state.path / "below"
    folder.mkdir(exist_ok=True)
    (folder / layer).write_text("\n".join(below))


def below_snapshots(state: StateFolder) -> set[LayerId]:
    """The layers that a snapshot stands on."""
    notes = (state.path / "below").glob("*")
    return {LayerId(name) for note in notes if state.layer(note.name).is_dir() for name in note.read_text().split()}


def forget_below(state: StateFolder, layer: LayerId) -> None:
    """The snapshot is gone."""
    (state.path / "below" / layer).unlink(missing_ok=True)
