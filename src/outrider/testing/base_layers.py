"""The type of the `base_layers` fixture."""

from dataclasses import dataclass

from outrider.model.ids import LayerId


@dataclass(frozen=True, slots=True)
class BaseLayers:
    """What real sandboxes in tests are made of."""

    base: LayerId
    toolbox: LayerId
