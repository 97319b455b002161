"""What we keep on disk about each container and layer: enough to find them again after our own death."""

import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pydantic import Field, ValidationError

from outrider.model.base import Model
from outrider.model.ids import LayerId, SandboxId
from outrider.model.sandbox import SandboxSpec
from outrider.sandboxes.sshd import SshKeys


class Record(Model):
    """One sandbox as it was asked for."""

    spec: SandboxSpec
    keys: SshKeys
    started_at: datetime


class LayerRecord(Model):
    """One complete layer. Its tar is kept beside, or is still in the image that it was committed to, and to be stripped
    of rights when it leaves that."""

    diff_id: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    bytes: int = Field(ge=0)
    image: str | None = None
    strip: bool = False


class StateFolder:
    """The provider's folder:

    home                 what our containers, images and volumes are named by: several homes may share a daemon
    sandboxes/ID.json    a Record
    layers/ID.json       a LayerRecord, written when the layer is complete
    layers/ID.tar        its files
    volumes/ID           empty: the daemon's volume of that layer has been filled
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sandboxes = path / "sandboxes"
        self.layers = path / "layers"
        self.volumes = path / "volumes"

    def prepare(self) -> None:
        """Make the folders, and remove what a killed call left half done."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self.sandboxes, self.layers, self.volumes):
            folder.mkdir(exist_ok=True, mode=0o700)

    def home(self) -> str:
        """The name of this home at the daemon, made at the first call."""
        file = self.path / "home"
        if not file.exists():
            self.prepare()
            _write(file, secrets.token_hex(6))
        return file.read_text()

    def write(self, record: Record) -> None:
        """Store the record, whole or not at all."""
        _write(self.sandboxes / f"{record.spec.id}.json", record.model_dump_json())

    def read(self, sandbox: SandboxId) -> Record | None:
        """The record, or None where we know no such sandbox."""
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
        """Where a layer's files are, or would be."""
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
        (self.volumes / layer).unlink(missing_ok=True)

    def layer_ids(self) -> list[LayerId]:
        """Every complete layer."""
        return sorted(LayerId(file.stem) for file in self.layers.glob("*.json"))

    def users(self, layer: LayerId) -> list[SandboxId]:
        """The sandboxes that are made from a layer."""
        return [row.spec.id for row in self.records() if layer in (*row.spec.layers, row.spec.toolbox)]


def _write(file: Path, text: str) -> None:
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.rename(file)
