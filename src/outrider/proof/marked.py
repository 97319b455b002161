"""Which changed files say how checks, tests or CI run. Whoever reads a proof has to look at them."""

import json
import re
import tomllib
from collections.abc import Iterable
from typing import Any

from outrider.proof.globs import Globs
from outrider.proof.recipe import Recipe

MARKED_LIMIT = 200

COMPARED_FILES = frozenset({"package.json", "pyproject.toml"})
"""Files at any depth that are marked only where the part that runs tests differs."""

_ALWAYS = Globs((
    "outrider.toml", ".github/**", ".gitlab-ci.yml", ".gitlab/**", ".circleci/**", ".ci/**", ".buildkite/**",
    ".travis.yml", "azure-pipelines.yml", "bitbucket-pipelines.yml", ".drone.yml", ".woodpecker.yml", "Jenkinsfile",
    "Dockerfile", "Dockerfile.dev", ".devcontainer/**", ".devcontainer.json", "compose.y*ml", "docker-compose.y*ml",
    ".pre-commit-config.yaml", "**/conftest.py", "**/pytest.ini", "**/.pytest.ini",
    "**/tox.ini", "**/noxfile.py", "**/setup.cfg", "**/.coveragerc", "**/sitecustomize.py", "**/usercustomize.py",
    "**/*.pth", "**/vitest.config.*", "**/vitest.workspace.*", "**/vite.config.*", "**/jest.config.*", "**/.mocharc*",
    "**/karma.conf.*", "**/playwright.config.*", "**/.npmrc",
))  # fmt: skip

_RUNNERS = {
    "make": Globs(("**/Makefile", "**/makefile", "**/GNUmakefile", "**/*.mk")),
    "just": Globs(("**/justfile", "**/Justfile", "**/.justfile")),
    "rake": Globs(("**/Rakefile",)),
}


def is_marked(path: str, recipe: Recipe) -> bool:
    """Whether a changed path is marked whatever is in it: CI, test configuration, or named in the recipe's commands."""
    if _ALWAYS.match(path):
        return True
    words = set(_words(recipe))
    return path in words or any(runner in words and globs.match(path) for runner, globs in _RUNNERS.items())


def runs_differently(name: str, base: bytes | None, head: bytes | None) -> bool:
    """Whether what runs tests differs between two versions of one of `COMPARED_FILES`. What cannot be read differs."""
    try:
        return bool(_running_part(name, base) != _running_part(name, head))
    except (ValueError, RecursionError):
        return True


def _running_part(name: str, content: bytes | None) -> Any:
    if content is None:
        return None
    if name == "package.json":
        return _picked(json.loads(content), ("scripts", "jest", "mocha", "ava", "type"))
    tools = tomllib.loads(content.decode()).get("tool", {})
    return _picked(tools, ("pytest", "coverage", "tox", "hatch", "poe", "pdm", "nox"))


def _picked(table: Any, keys: tuple[str, ...]) -> list[Any]:
    if not isinstance(table, dict):
        raise ValueError("not a table")
    return [table.get(key) for key in keys]


def _words(recipe: Recipe) -> Iterable[str]:
    """The words of all commands, as paths in the repository would be written there."""
    for command in (*recipe.setup, *(check.command for check in recipe.checks)):
        for word in re.split(r"""[\s;&|()<>"'`=]+""", command):
            yield word.removeprefix("./")
