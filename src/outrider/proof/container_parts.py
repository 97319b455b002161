"""What a devcontainer.json, a Dockerfile or a compose file comes to: parts of a recipe."""

from dataclasses import dataclass, field

from outrider.model.image import BuildStep
from outrider.model.services import PreviewSpec


@dataclass(slots=True)
class ContainerParts:
    """Found parts. `notices` are sentences about what was passed over or is different here."""

    source: str = ""
    image: str | None = None
    steps: list[BuildStep] = field(default_factory=list)
    stacks: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    setup: list[str] = field(default_factory=list)
    start: list[str] = field(default_factory=list)
    previews: list[PreviewSpec] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
