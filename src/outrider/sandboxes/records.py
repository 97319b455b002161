"""What providers keep on disk about sandboxes and layers: enough to find them again after our own death."""

import asyncio
import secrets
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Generic, Self, TypeVar
from weakref import WeakValueDictionary

from pydantic import Field, ValidationError

from outrider.model.base import Model
from outrider.model.errors import Refused, SandboxError
from outrider.model.ids import LayerId, SandboxId
from outrider.model.sandbox import LayerInfo, SandboxHandle, SandboxInfo, SandboxSpec
from outrider.sandboxes.sshd import SshKeys

ModelT = TypeVar("ModelT", bound=Model)


class Record(Model):
    """One sandbox as it was asked for."""

    spec: SandboxSpec
    keys: SshKeys
    started_at: datetime

    def begun_anew(self, at: datetime, labels: Mapping[str, str] | None = None) -> Self:
        """The same, its wall time begun anew; with labels, another's from now on."""
        changes = {} if labels is None else {"labels": dict(labels), "background": False}
        return self.model_copy(update={"spec": self.spec.model_copy(update=changes), "started_at": at})

    def info(self, provider: str, *, running: bool) -> SandboxInfo:
        """As the port tells it."""
        return SandboxInfo(
            handle=SandboxHandle(id=self.spec.id, provider=provider),
            labels=self.spec.labels,
            running=running,
            layers=self.spec.layers,
            toolbox=self.spec.toolbox,
        )


class KeptLayer(Model):
    """One complete layer."""

    bytes: int = Field(ge=0)


LayerT = TypeVar("LayerT", bound=KeptLayer)


class HomeFolder:
    """The folder of a provider whose sandboxes are a daemon's:

    home                 what is ours there is named by: several homes may share one
    sandboxes/ID.json    a Record
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sandboxes = path / "sandboxes"

    def folders(self) -> tuple[Path, ...]:
        """All that are made."""
        return self.path, self.sandboxes

    def prepare(self) -> None:
        """Make the folders."""
        for folder in self.folders():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def home(self) -> str:
        """The name of this home, made at the first call."""
        file = self.path / "home"
        if not file.exists():
            self.prepare()
            write_whole(file, secrets.token_hex(6))
        return file.read_text()

    def write(self, record: Record) -> None:
        """Store the record, whole or not at all."""
        write_whole(self.sandboxes / f"{record.spec.id}.json", record.model_dump_json())

    def read(self, sandbox: SandboxId) -> Record | None:
        """The record, or None where we know no such sandbox."""
        return read_model(self.sandboxes / f"{sandbox}.json", Record)

    def forget(self, sandbox: SandboxId) -> None:
        """Remove the record."""
        (self.sandboxes / f"{sandbox}.json").unlink(missing_ok=True)

    def records(self) -> Iterator[Record]:
        """Every sandbox that we know."""
        for file in sorted(self.sandboxes.glob("*.json")):
            record = self.read(SandboxId(file.stem))
            if record:
                yield record


class StateFolder(HomeFolder, Generic[LayerT]):
    """That of one which keeps its layers as tars:

    layers/ID.json       a layer's record, written when the layer is complete
    layers/ID.tar        its files
    """

    def __init__(self, path: Path, kind: type[LayerT]) -> None:
        super().__init__(path)
        self.layers = path / "layers"
        self._kind = kind

    def folders(self) -> tuple[Path, ...]:
        """All that are made."""
        return *super().folders(), self.layers

    def tar(self, layer: LayerId) -> Path:
        """Where a layer's files are, or would be."""
        return self.layers / f"{layer}.tar"

    def layer(self, layer: LayerId) -> LayerT | None:
        """The layer, or None where it is not complete."""
        return read_model(self.layers / f"{layer}.json", self._kind)

    def complete(self, layer: LayerId) -> LayerT:
        """The layer. Raises SandboxError where it is missing."""
        record = self.layer(layer)
        if record is None:
            raise SandboxError(f"The layer {layer} does not exist.", "Build the image again.")
        return record

    def keep_layer(self, layer: LayerId, record: LayerT) -> None:
        """The layer is complete from now on."""
        write_whole(self.layers / f"{layer}.json", record.model_dump_json())

    def forget_layer(self, layer: LayerId) -> None:
        """Remove a layer, its record first."""
        (self.layers / f"{layer}.json").unlink(missing_ok=True)
        self.tar(layer).unlink(missing_ok=True)

    def layer_records(self) -> dict[LayerId, LayerT]:
        """Every complete layer."""
        ids = sorted(LayerId(file.stem) for file in self.layers.glob("*.json"))
        return {layer: record for layer in ids if (record := self.layer(layer))}

    def layer_infos(self) -> list[LayerInfo]:
        """Every complete layer, as the port tells it."""
        used = {layer for row in self.records() for layer in (*row.spec.layers, row.spec.toolbox)}
        return [LayerInfo(id=layer, used=layer in used) for layer in self.layer_records()]

    def layer_bytes(self, layers: Collection[LayerId]) -> int:
        """What these take together, as the port tells it."""
        return sum(record.bytes for layer in layers if (record := self.layer(layer)))

    def expect_unused(self, layer: LayerId) -> None:
        """Raises Refused where a sandbox is made from the layer."""
        for row in self.records():
            if layer in (*row.spec.layers, row.spec.toolbox):
                raise Refused(f"The layer {layer} is used by the sandbox {row.spec.id}.")


class SandboxLocks:
    """One call at a time concerns one sandbox."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[SandboxId, asyncio.Lock] = WeakValueDictionary()

    def __call__(self, sandbox: SandboxId) -> asyncio.Lock:
        """The sandbox's lock."""
        return self._locks.setdefault(sandbox, asyncio.Lock())


def read_model(path: Path, kind: type[ModelT]) -> ModelT | None:
    """What is stored there; None where nothing is, or not all of it."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def write_whole(file: Path, text: str) -> None:
    """Whole or not at all, for us alone to read."""
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.rename(file)
