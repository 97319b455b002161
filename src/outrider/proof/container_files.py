"""Where a recipe comes from besides `outrider.toml`: devcontainer.json, a Dockerfile, a compose file.

They are looked for in this order, and read from the same commit as `outrider.toml` would be. A file that is named in
`outrider.toml` must be within what is supported; one that was only found is left out where it is not, with a notice.
"""

import posixpath
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from outrider.model.errors import RecipeError
from outrider.proof.compose import OwnService, parse_compose
from outrider.proof.container_parts import ContainerParts
from outrider.proof.devcontainer import parse_devcontainer
from outrider.proof.dockerfile import parse_dockerfile

DEVCONTAINERS = (".devcontainer/devcontainer.json", ".devcontainer.json")
DOCKERFILES = (".devcontainer/Dockerfile", "Dockerfile.dev", "Dockerfile")
COMPOSE_FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")

Read = Callable[[str], Awaitable[bytes | None]]
"""Gives the content of a file of the commit; None where it is not there. Raises LimitReached where it is too large."""


@dataclass(frozen=True, slots=True)
class Named:
    """The files that `outrider.toml` names."""

    devcontainer: str | None = None
    dockerfile: str | None = None
    compose: str | None = None

    @property
    def any(self) -> bool:
        """Whether it names one."""
        return bool(self.devcontainer or self.dockerfile or self.compose)


async def read_named(named: Named, read: Read) -> ContainerParts:
    """What these files come to together. Raises RecipeError."""
    parts = ContainerParts(source=" and ".join(filter(None, (named.devcontainer, named.dockerfile, named.compose))))
    if named.devcontainer:
        await _devcontainer(named.devcontainer, read, parts)
    if named.dockerfile:
        await _dockerfile(named.dockerfile, read, parts)
    if named.compose:
        parse_compose(await _text(named.compose, read), named.compose, None, parts)
    return parts


async def read_found(paths: frozenset[str], read: Read) -> ContainerParts:
    """What the files that are there come to. Never raises RecipeError: what is not supported is a notice."""
    notices: list[str] = []
    for named in _found(paths):
        try:
            parts = await read_named(named, read)
        except RecipeError as error:
            notices.append(f"Not used: {error}")
            continue
        parts.notices = [*notices, *parts.notices]
        return parts
    return ContainerParts(notices=notices)


def _found(paths: frozenset[str]) -> list[Named]:
    """What to try, best first."""
    devcontainer, dockerfile, compose = (
        next((path for path in known if path in paths), None) for known in (DEVCONTAINERS, DOCKERFILES, COMPOSE_FILES)
    )
    tries = [Named(devcontainer=devcontainer)] if devcontainer else []
    tries += [Named(dockerfile=dockerfile, compose=compose)] if dockerfile and compose else []
    tries += [Named(dockerfile=dockerfile)] if dockerfile else []
    return tries + ([Named(compose=compose)] if compose else [])


async def _devcontainer(path: str, read: Read, parts: ContainerParts) -> None:
    named = parse_devcontainer(await _text(path, read), path, parts)
    if named.dockerfile:
        await _dockerfile(named.dockerfile, read, parts, named.arguments)
    if named.compose:
        own = parse_compose(await _text(named.compose, read), named.compose, named.service, parts)
        await _own(own, named.compose, read, parts)


async def _own(own: OwnService, compose: str, read: Read, parts: ContainerParts) -> None:
    """The image of the service that is the repository itself."""
    if own.dockerfile:
        folder = posixpath.dirname(compose)
        await _dockerfile(posixpath.normpath(posixpath.join(folder, own.context, own.dockerfile)), read, parts)
    elif own.image:
        parts.image = own.image


async def _dockerfile(path: str, read: Read, parts: ContainerParts, arguments: Mapping[str, str] | None = None) -> None:
    build = parse_dockerfile(await _text(path, read), path, arguments)
    parts.image = build.image
    parts.steps += build.steps
    parts.environment = {**build.environment, **parts.environment}
    parts.notices += build.notices


async def _text(path: str, read: Read) -> str:
    content = await read(path)
    if content is None:
        raise RecipeError(f"{path} is named but not there.", "Name a file of the repository.")
    return content.decode(errors="replace")
