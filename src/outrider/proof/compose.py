"""Compose files, as far as they name databases: services on images of PostgreSQL and Redis become stacks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from outrider.model.errors import RecipeError
from outrider.proof.container_parts import ContainerParts

IMAGES = {
    "postgres": "postgres", "postgis/postgis": "", "redis": "redis", "valkey/valkey": "redis",
}  # fmt: skip
"""Images by name without registry and tag, and the stacks that stand for them; none for what only looks alike."""

SERVICES_LIMIT = 50


@dataclass(frozen=True, slots=True)
class OwnService:
    """The service that is the repository itself: an image, or a Dockerfile with its arguments."""

    image: str | None = None
    dockerfile: str | None = None
    context: str = "."


def parse_compose(text: str, path: str, own: str | None, parts: ContainerParts) -> OwnService:
    """Add the stacks of a compose file to `parts`. `own` names the service that is the repository itself; without it
    those that are built are. Raises RecipeError with file, line and what to write instead."""
    services = _services(text, path)
    if own is not None and own not in services:
        raise RecipeError(f"{path}: there is no service “{own}”.", "Name one of its services in devcontainer.json.")
    found = OwnService()
    for name, spec in services.items():
        if not isinstance(spec, Mapping):
            raise RecipeError(
                f"{path}, line {_line(name, text)}: the service “{name}” cannot be read.", "Give it an image."
            )
        if name == own or (own is None and "build" in spec):
            found = _own(spec)
            if own is None:
                parts.notices.append(f"{path}: the service “{name}” is the repository itself and is not started.")
        else:
            _add_stack(name, spec, path, text, parts)
    return found


def _services(text: str, path: str) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}, line {mark.line + 1}" if mark else path
        raise RecipeError(f"{place}: it is not valid YAML.", "Mend it, or name services in outrider.toml.") from error
    services = document.get("services") if isinstance(document, Mapping) else None
    if not isinstance(services, Mapping) or len(services) > SERVICES_LIMIT:
        raise RecipeError(f"{path} names no services that can be read.", "Name services in outrider.toml.")
    return {str(name): spec for name, spec in services.items()}


def _own(spec: Mapping[str, Any]) -> OwnService:
    build = spec.get("build")
    if isinstance(build, str):
        return OwnService(dockerfile="Dockerfile", context=build)
    if isinstance(build, Mapping):
        return OwnService(dockerfile=_text(build, "dockerfile", "Dockerfile"), context=_text(build, "context", "."))
    return OwnService(image=_text(spec, "image", "") or None)


def _text(spec: Mapping[str, Any], key: str, default: str) -> str:
    """A string, and nothing that would have to be spelled out: aliases of YAML may stand for any size."""
    value = spec.get(key, default)
    return value if isinstance(value, str) else default


def _add_stack(name: str, spec: Mapping[str, Any], path: str, text: str, parts: ContainerParts) -> None:
    image = _text(spec, "image", "")
    stack = IMAGES.get(re.sub(r"^(docker\.io/)?(library/)?", "", re.split(r"[:@]", image)[0]), "")
    if not stack:
        what = f"the image {image}" if image else "no image"
        raise RecipeError(
            f"{path}, line {_line(name, text)}: the service “{name}” has {what}; only PostgreSQL and Redis are known.",
            f'Write [[services]] with name = "{name[:40].lower()}" and a command in outrider.toml, and what it needs '
            "under `packages`.",
        )
    if stack not in parts.stacks:
        parts.stacks.append(stack)
    address = "DATABASE_URL" if stack == "postgres" else "REDIS_URL"
    parts.notices.append(
        f"{path}: {image} is the stack {stack} here, on 127.0.0.1 and not at “{name}”; its address is in {address}."
    )


def _line(name: str, text: str) -> int:
    pattern = re.compile(rf"""\s+["']?{re.escape(name)}["']?\s*:""")
    return next((number for number, line in enumerate(text.splitlines(), 1) if pattern.match(line)), 1)
