"""devcontainer.json, as far as it says what a sandbox needs. Comments and trailing commas are allowed in it."""

import posixpath
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import json5

from outrider.model.errors import RecipeError
from outrider.model.services import PreviewSpec
from outrider.proof.container_parts import ContainerParts

PASSED_OVER = frozenset({
    "$schema", "containerUser", "customizations", "hostRequirements", "init", "name", "otherPortsAttributes",
    "overrideCommand", "portsAttributes", "postAttachCommand", "remoteUser", "service", "shutdownAction",
    "updateRemoteUserUID", "userEnvProbe", "waitFor", "workspaceFolder", "runServices",
})  # fmt: skip
"""What says how an editor attaches, or who it is: here it is always the user `agent` in /workspace."""

FEATURES: Mapping[str, tuple[str, ...]] = {
    "common-utils": (),
    "git": (),
    "git-lfs": ("git-lfs",),
    "go": ("golang-go",),
    "java": ("default-jdk-headless",),
    "node": ("nodejs", "npm"),
    "php": ("php-cli",),
    "python": ("python3", "python3-dev", "python3-venv"),
    "ruby": ("ruby-full",),
    "rust": ("cargo",),
}
"""The features of `ghcr.io/devcontainers/features` that Debian packages stand for."""

ANY_VERSION = ("latest", "lts", "os-provided", "none", "")
PREVIEWS_LIMIT = 20


@dataclass(frozen=True, slots=True)
class Named:
    """The files that a devcontainer.json goes on to."""

    dockerfile: str | None = None
    arguments: Mapping[str, str] | None = None
    compose: str | None = None
    service: str | None = None


def parse_devcontainer(text: str, path: str, parts: ContainerParts) -> Named:
    """Add what it says to `parts`. Raises RecipeError with file, line and what to write instead."""
    return _Reader(text, path, parts).read()


class _Reader:
    """One devcontainer.json."""

    def __init__(self, text: str, path: str, parts: ContainerParts) -> None:
        self.text = text
        self.path = path
        self.parts = parts

    def read(self) -> Named:
        """Go through its keys."""
        keys = self._keys()
        known: Mapping[str, Callable[[str, Any], None]] = {
            "image": self._image,
            "features": self._features,
            "containerEnv": self._environment,
            "remoteEnv": self._environment,
            "onCreateCommand": self._setup,
            "updateContentCommand": self._setup,
            "postCreateCommand": self._setup,
            "postStartCommand": self._start,
            "forwardPorts": self._ports,
        }
        for key, value in keys.items():
            if key in known:
                known[key](key, value)
            elif key not in PASSED_OVER and key not in ("build", "dockerFile", "dockerComposeFile"):
                raise self._refused(key, "is not supported", "Leave it out, or say in outrider.toml what it is for.")
        return self._named(keys)

    def _keys(self) -> dict[str, Any]:
        try:
            keys = json5.loads(self.text)
        except (ValueError, RecursionError) as error:
            raise RecipeError(f"{self.path} is not valid JSON: {str(error)[:200]}.", "Mend it.") from error
        if not isinstance(keys, dict):
            raise RecipeError(f"{self.path} is no JSON object.", "Mend it.")
        return keys

    def _named(self, keys: Mapping[str, Any]) -> Named:
        compose = keys.get("dockerComposeFile")
        if isinstance(compose, list):
            if len(compose) != 1:
                raise self._refused("dockerComposeFile", "names more than one file", "Name one of them.")
            compose = compose[0]
        if compose is not None:
            service = keys.get("service")
            return Named(
                compose=self._beside(self._text("dockerComposeFile", compose)),
                service=service if isinstance(service, str) else None,
            )
        build = keys.get("build", {})
        if not isinstance(build, Mapping):
            raise self._refused("build", "is no object", 'Write {"dockerfile": "Dockerfile"}.')
        file = build.get("dockerfile", keys.get("dockerFile"))
        if file is None:
            return Named()
        arguments = self._strings("args", build.get("args", {}))
        return Named(dockerfile=self._beside(self._text("dockerfile", file)), arguments=arguments)

    def _image(self, key: str, value: Any) -> None:
        self.parts.image = self._text(key, value)

    def _environment(self, key: str, value: Any) -> None:
        for name, text in self._strings(key, value).items():
            if "${" in text:
                raise self._refused(
                    name, "refers to another variable", "Write its value, or leave it out: secrets do not go in."
                )
            self.parts.environment[name] = text

    def _setup(self, key: str, value: Any) -> None:
        self.parts.setup += self._commands(key, value)

    def _start(self, key: str, value: Any) -> None:
        self.parts.start += self._commands(key, value)

    def _commands(self, key: str, value: Any) -> list[str]:
        """A string, the words of a command, or several commands by name."""
        if isinstance(value, str):
            return [value] if value else []
        if isinstance(value, list) and all(isinstance(word, str) for word in value):
            return [shlex.join(value)] if value else []
        if isinstance(value, Mapping):
            return [command for one in value.values() for command in self._commands(key, one)]
        raise self._refused(key, "is no command", "Write it as a string.")

    def _ports(self, key: str, value: Any) -> None:
        ports = value if isinstance(value, list) else [value]
        for port in ports[:PREVIEWS_LIMIT]:
            if not isinstance(port, int) or not 0 < port < 65536:
                raise self._refused(key, f"has {str(port)[:50]!r}, which is no port of the sandbox", "Write a number.")
            preview = PreviewSpec(name=f"port-{port}", port=port)
            if preview not in self.parts.previews:
                self.parts.previews.append(preview)

    def _features(self, key: str, value: Any) -> None:
        if not isinstance(value, Mapping):
            raise self._refused(key, "is no object", "Leave it out.")
        for name, options in value.items():
            short = re.sub(r"^ghcr\.io/devcontainers/features/|:[^:/]*$", "", str(name))
            if short not in FEATURES:
                raise self._refused(
                    str(name), "is a feature that is not supported", "Name Debian packages under `packages` instead."
                )
            version = options.get("version", "") if isinstance(options, Mapping) else options
            packages = FEATURES[short]
            self.parts.packages += packages
            if packages and isinstance(version, str) and version not in ANY_VERSION:
                self.parts.notices.append(
                    f"{self.path}: {short} {version[:20]} is asked for; here it is Debian's ({', '.join(packages)})."
                )

    def _strings(self, key: str, value: Any) -> dict[str, str]:
        if not isinstance(value, Mapping) or not all(isinstance(text, str | int) for text in value.values()):
            raise self._refused(key, "is no object of strings", "Write names and strings.")
        return {str(name): str(text) for name, text in value.items()}

    def _text(self, key: str, value: Any) -> str:
        if not isinstance(value, str) or not value:
            raise self._refused(key, "is no string", "Write a string.")
        return value

    def _beside(self, name: str) -> str:
        """A path below the repository, written from the folder of devcontainer.json."""
        path = posixpath.normpath(posixpath.join(posixpath.dirname(self.path), name))
        if path.startswith(("/", "..")):
            raise RecipeError(f"{self.path}: {name[:200]!r} is not below the repository.", "Name a file of it.")
        return path

    def _refused(self, key: str, why: str, remedy: str) -> RecipeError:
        pattern = re.compile(rf"""["']?{re.escape(key)}["']?""")
        line = next((number for number, row in enumerate(self.text.splitlines(), 1) if pattern.search(row)), 1)
        return RecipeError(f"{self.path}, line {line}: `{key}` {why}.", remedy)
