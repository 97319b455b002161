"""What we keep on disk about each microVM and layer."""

from pathlib import Path

from outrider.model.ids import LayerId, SandboxId
from outrider.sandboxes import records


class LayerRecord(records.KeptLayer):
    """One complete layer: a tar of ours, or a snapshot of a whole disk, which shows the layers that it was made above
    as well."""

    diff_id: str = ""
    snapshot: str = ""
    above: tuple[LayerId, ...] = ()


class StateFolder(records.StateFolder[LayerRecord]):
    """toolboxes/ID/ are the files of a layer, to be shown read-only."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, LayerRecord)
        self.toolboxes = path / "toolboxes"

    def folders(self) -> tuple[Path, ...]:
        """All that are made."""
        return *super().folders(), self.toolboxes

    def prefix(self) -> str:
        """What the names of our microVMs and snapshots begin with."""
        return f"outrider-{self.home().removeprefix('outrider-')}"

    def machine(self, sandbox: SandboxId) -> str:
        """What microsandbox calls a sandbox of ours."""
        return f"{self.prefix()}-{sandbox}"
