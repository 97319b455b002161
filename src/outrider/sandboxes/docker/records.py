"""What we keep on disk about each container and layer."""

from pathlib import Path

from pydantic import Field

from outrider.model.ids import LayerId
from outrider.sandboxes import records


class LayerRecord(records.KeptLayer):
    """One complete layer. Its tar is kept beside, or is still in the image that it was committed to, and to be stripped
    of rights when it leaves that."""

    diff_id: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    image: str | None = None
    strip: bool = False


class StateFolder(records.StateFolder[LayerRecord]):
    """volumes/ID is empty, and says that the daemon's volume of that layer has been filled."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, LayerRecord)
        self.volumes = path / "volumes"

    def folders(self) -> tuple[Path, ...]:
        """All that are made."""
        return *super().folders(), self.volumes

    def forget_layer(self, layer: LayerId) -> None:
        """Remove a layer, its record first."""
        super().forget_layer(layer)
        (self.volumes / layer).unlink(missing_ok=True)
