"""What we keep on disk about each microVM and layer."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pydantic import Field, ValidationError

from outrider.model.base import Model
from outrider.model.ids import LayerId, SandboxId, new_id
from outrider.model.sandbox import SandboxSpec
from outrider.sandboxes.sshd import SshKeys


class Record(Model):
    """One sandbox as it was asked for."""

    spec: SandboxSpec
    keys: SshKeys
    started_at: datetime


class LayerRecord(Model):
    """One complete layer: a tar of ours, or a snapshot of a whole disk, which shows the layers that it was made above
    as well."""

    bytes: int = Field(ge=0)
    diff_id: str = ""
    snapshot: str = ""
    above: tuple[LayerId, ...] = ()


class StateFolder:
    """sandboxes/ID.json, layers/ID.json with layers/ID.tar, toolboxes/ID/ (unpacked), and `home`: our names' prefix."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sandboxes = path / "sandboxes"
        self.layers = path / "layers"
        self.toolboxes = path / "toolboxes"

    def prepare(self) -> None:
        """Make the folders."""
        for folder in (self.path, self.sandboxes, self.layers, self.toolboxes):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def prefix(self) -> str:
        """What the names of our microVMs and snapshots begin with: several homes may share microsandbox's own."""
        file = self.path / "home"
        if not file.exists():
            self.prepare()
            _write(file, new_id("outrider"))
        return file.read_text()

    def machine(self, sandbox: SandboxId) -> str:
        """What microsandbox calls a sandbox of ours."""
        return f"{self.prefix()}-{sandbox}"

    def write(self, record: Record) -> None:
        """Store the record, whole or not at all."""
        _write(self.sandboxes / f"{record.spec.id}.json", record.model_dump_json())

    def read(self, sandbox: SandboxId) -> Record | None:
        """The record, or None."""
        try:
            return Record.model_validate_json((self.sandboxes / f"{sandbox}.json").read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def forget(self, sandbox: SandboxId) -> None:
        """Remove the record."""
        (self.sandboxes / f"{sandbox}.json").unlink(missing_ok=True)

    def records(self) -> Iterator[Record]:
        """Every sandbox that we know."""
        for file in sorted(self.sandboxes.glob("*.json")):
            record = self.read(SandboxId(file.stem))
            if record:
                yield record

    def tar(self, layer: LayerId) -> Path:
        """Where a layer's files are."""
        return self.layers / f"{layer}.tar"

    def layer(self, layer: LayerId) -> LayerRecord | None:
        """The layer, or None where it is not complete."""
        try:
            return LayerRecord.model_validate_json((self.layers / f"{layer}.json").read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def keep_layer(self, layer: LayerId, record: LayerRecord) -> None:
        """The layer is complete from now on."""
        _write(self.layers / f"{layer}.json", record.model_dump_json())

    def forget_layer(self, layer: LayerId) -> None:
        """Remove a layer, its record first."""
        (self.layers / f"{layer}.json").unlink(missing_ok=True)
        self.tar(layer).unlink(missing_ok=True)

    def layer_records(self) -> dict[LayerId, LayerRecord]:
        """Every complete layer."""
        ids = sorted(LayerId(file.stem) for file in self.layers.glob("*.json"))
        return {layer: record for layer in ids if (record := self.layer(layer))}

    def users(self, layer: LayerId) -> list[SandboxId]:
        """The sandboxes that are made from a layer."""
        return [row.spec.id for row in self.records() if layer in (*row.spec.layers, row.spec.toolbox)]


def _write(file: Path, text: str) -> None:
    fresh = file.with_name(f".{file.name}.new")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.rename(file)
