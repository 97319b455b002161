"""Dockerfiles, as far as they say what an image needs: one stage of FROM, ARG, ENV, WORKDIR and RUN.

What only says how a container is run (CMD, EXPOSE, USER, …) has no meaning here and is passed over. What would need
more than the image (COPY, a second stage, mounts) is refused, with the line and with what to write instead.
"""

import json
import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from outrider.model.errors import RecipeError
from outrider.model.image import BuildStep
from outrider.model.sandbox import TOOLBOX

STEPS_LIMIT = 30
VALUE_LIMIT = 32_768
"""Each reference to a variable may repeat all of it: without a limit a few lines would fill the memory."""

PASSED_OVER = ("CMD", "ENTRYPOINT", "EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "STOPSIGNAL", "USER", "VOLUME")
FIRST_PATH = f"/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin:{TOOLBOX}/bin"
SHELLS = {
    ("/bin/sh", "-c"): "",
    ("/bin/bash", "-c"): "bash -c ",
    ("/bin/bash", "-o", "pipefail", "-c"): "bash -o pipefail -c ",
}

_REFERENCE = re.compile(r"\\?\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})")

_INSTEAD = {
    "COPY": "Do what needs the checkout in `setup` of outrider.toml: it runs in /workspace after the image is made.",
    "ADD": "Do what needs the checkout in `setup` of outrider.toml, and fetch files with curl in a RUN.",
    "ONBUILD": "Leave it out, or name what the image needs under `packages` in outrider.toml.",
}


@dataclass(slots=True)
class DockerBuild:
    """What a Dockerfile comes to."""

    image: str = ""
    steps: list[BuildStep] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


def parse_dockerfile(text: str, path: str, arguments: Mapping[str, str] | None = None) -> DockerBuild:
    """Read a Dockerfile. `arguments` are those of the build, over the defaults of ARG. Raises RecipeError with file,
    line, instruction and what to write instead."""
    reader = _Reader(path, dict(arguments or {}))
    for line, words in _instructions(text, path):
        reader.line = line
        name, _, rest = words.partition(" ")
        reader.take(name.upper(), rest.strip())
    if not reader.made.image:
        raise RecipeError(f"{path} has no FROM.", "Name the image under `image` in outrider.toml.")
    return reader.made


class _Reader:
    """Takes one instruction after the other."""

    def __init__(self, path: str, arguments: dict[str, str]) -> None:
        self.path = path
        self.line = 0
        self.made = DockerBuild()
        self._given = arguments
        self._arguments: dict[str, str] = {}
        self._before: dict[str, str] = {}
        self._folder = "/"
        self._shell = ""

    def take(self, name: str, rest: str) -> None:
        """One instruction. Raises RecipeError."""
        known = {
            "FROM": self._from,
            "ARG": self._arg,
            "ENV": self._env,
            "WORKDIR": self._workdir,
            "RUN": self._run,
            "SHELL": self._set_shell,
        }
        if name in PASSED_OVER:
            if name == "USER":
                self.made.notices.append(f"{self.path}, line {self.line}: USER is passed over; commands run as root.")
        elif name in known:
            known[name](rest)
        else:
            remedy = _INSTEAD.get(name, "Leave it out, or say in outrider.toml what it is for.")
            raise self.refused(f"{name} is not supported", remedy)

    def refused(self, why: str, remedy: str) -> RecipeError:
        """The error for the instruction at hand."""
        return RecipeError(f"{self.path}, line {self.line}: {why}.", remedy)

    def _from(self, rest: str) -> None:
        words = [word for word in rest.split() if not word.startswith("--platform=")]
        if self.made.image:
            raise self.refused(
                "a second FROM is not supported", "Name the image of one stage under `image` in outrider.toml."
            )
        if not words or len(words) not in (1, 3):
            raise self.refused("FROM names no image", "Write FROM and an image.")
        self.made.image = self._expand(words[0])
        self._before, self._arguments = self._arguments, {}

    def _arg(self, rest: str) -> None:
        name, equals, default = rest.partition("=")
        value = self._given.get(name, self._expand(_unquoted(default)) if equals else self._before.get(name, ""))
        self._arguments[name] = value

    def _env(self, rest: str) -> None:
        if re.match(r"\w+\s+[^=\s]", rest) or not re.match(r"\w+=", rest):
            name, _, value = rest.partition(" ")
            self._set(name, self._expand(value.strip()))
            return
        try:
            words = shlex.split(_kept_references(rest))
        except ValueError as error:
            raise self.refused(f"ENV cannot be read: {error}", "Write ENV NAME=value.") from error
        for word in words:
            name, _, value = word.partition("=")
            self._set(name, self._expand(value))

    def _set(self, name: str, value: str) -> None:
        if not re.fullmatch(r"[A-Za-z_]\w{0,99}", name):
            raise self.refused(f"{name[:100]!r} is no name of a variable", "Write ENV NAME=value.")
        self.made.environment[name] = value

    def _workdir(self, rest: str) -> None:
        self._folder = posixpath.normpath(posixpath.join(self._folder, self._expand(_unquoted(rest))))

    def _run(self, rest: str) -> None:
        if rest.startswith("--"):
            raise self.refused(
                f"RUN {rest.split()[0]} is not supported", "Leave the flag out: layers are kept between builds anyway."
            )
        if rest.startswith("<<"):
            raise self.refused("RUN with a here-document is not supported", "Join the commands with && in one RUN.")
        if len(self.made.steps) >= STEPS_LIMIT:
            raise self.refused(f"more than {STEPS_LIMIT} RUN are not supported", "Join some of them with &&.")
        words = _exec_form(rest)
        command = shlex.join(words) if words else rest
        if self._shell and not words:
            command = self._shell + shlex.quote(rest)
        step = BuildStep(
            command=command,
            environment={**self._arguments, **self.made.environment},
            cwd=self._folder,
            origin=f"{self.path}, line {self.line}"[:300],
        )
        self.made.steps.append(step)

    def _set_shell(self, rest: str) -> None:
        words = tuple(_exec_form(rest))
        if words not in SHELLS:
            raise self.refused("this SHELL is not supported", 'Use SHELL ["/bin/bash", "-c"] or none.')
        self._shell = SHELLS[words]

    def _expand(self, text: str) -> str:
        """With variables put in. A dollar after a backslash is itself."""
        known = {"PATH": FIRST_PATH, **self._arguments, **self.made.environment}

        def value(found: re.Match[str]) -> str:
            if found[0].startswith("\\"):
                return found[0][1:]
            now = known.get(found[1] or found[2], "")
            if found[3] == "-":
                return now or found[4]
            return (found[4] if now else "") if found[3] == "+" else now

        made = _REFERENCE.sub(value, text)
        if len(made) > VALUE_LIMIT:
            raise self.refused("the value is too long", "Make it shorter.")
        return made


def _instructions(text: str, path: str) -> Iterator[tuple[int, str]]:
    """Each instruction with its first line, continued lines joined, comments left out."""
    if re.match(r"#\s*escape\s*=\s*`", text):
        raise RecipeError(f"{path}, line 1: another escape character is not supported.", "Use the backslash.")
    begun, words = 0, ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        begun = begun or number
        if line.endswith("\\"):
            words += line[:-1].rstrip() + " "
            continue
        yield begun, words + line
        begun, words = 0, ""
    if words:
        yield begun, words


def _exec_form(text: str) -> list[str]:
    """The words of `["a", "b"]`; none where it is no such list."""
    if not text.startswith("["):
        return []
    try:
        words = json.loads(text)
    except ValueError:
        return []
    return words if isinstance(words, list) and all(isinstance(word, str) for word in words) else []


def _kept_references(text: str) -> str:
    """A backslash before a dollar is for the expansion and not for the splitting."""
    return text.replace("\\$", "\\\\$")


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
