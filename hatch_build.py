"""Builds the web client into the wheel, so that `pip install outrider` needs no node."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STATIC = "src/outrider/api/static"


class WebClientHook(BuildHookInterface):
    """Adds the built web client to a wheel; refuses to build a wheel without one."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        if not (Path(self.root) / STATIC / "index.html").exists():
            raise FileNotFoundError(f"{STATIC}/index.html is missing: run `make build`, which builds it first")
        build_data["artifacts"].append(f"{STATIC}/**")
