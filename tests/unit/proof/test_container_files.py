"""devcontainer.json, Dockerfiles and compose files: what is taken, and what is said about what is not."""

import json
from collections.abc import Mapping

import pytest

from outrider.model.errors import RecipeError
from outrider.model.ids import CommitId, SessionId
from outrider.proof.dockerfile import parse_dockerfile
from outrider.proof.reading import read_recipe
from outrider.proof.recipe import Recipe

DEVCONTAINER = """\
// What editors open.
{
  "name": "shop",
  "image": "mcr.microsoft.com/devcontainers/base:bookworm", /* any */
  "features": { "ghcr.io/devcontainers/features/python:1": { "version": "3.12" }, },
  "containerEnv": { "STAGE": "dev" },
  "postCreateCommand": ["make", "a b"],
  "postStartCommand": { "one": "make one", "two": "make two" },
  "forwardPorts": [3000],
  "customizations": { "vscode": {} },
}
"""

DOCKERFILE = """\
# syntax=docker/dockerfile:1
ARG VERSION=3.12
FROM python:${VERSION}-bookworm AS base
ARG EXTRA=jq
ENV HOME_OF=/srv PATH="/opt/bin:$PATH"
WORKDIR $HOME_OF/app
RUN apt-get update && \\
    # why
    apt-get install -y $EXTRA
SHELL ["/bin/bash", "-c"]
RUN echo 'two'
USER app
CMD ["python"]
"""

COMPOSE = """\
services:
  app:
    build: {context: ., dockerfile: Dockerfile}
  db: {image: "postgres:16"}
  cache:
    image: docker.io/library/redis:7-alpine
"""


class Files:
    """A commit with these files."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files

    async def read_file(self, _session: SessionId, _commit: CommitId, path: str, *, limit_bytes: int) -> bytes | None:
        text = self.files.get(path)
        return None if text is None else text.encode()[:limit_bytes]

    async def list_files(self, _session: SessionId, _commit: CommitId) -> list[str]:
        return list(self.files)


async def read(**files: str) -> Recipe:
    """The recipe of a commit with these files."""
    return await read_recipe(Files(files), SessionId("s"), CommitId("c" * 40))  # type: ignore[arg-type]


async def test_a_devcontainer_becomes_a_recipe() -> None:
    recipe = await read(**{".devcontainer/devcontainer.json": DEVCONTAINER})
    assert (recipe.image, recipe.found) == ("mcr.microsoft.com/devcontainers/base:bookworm", True)
    assert recipe.packages == ("python3", "python3-dev", "python3-venv")
    assert (recipe.setup, recipe.start) == (("make 'a b'",), ("make one", "make two"))
    assert [(preview.name, preview.port) for preview in recipe.preview] == [("port-3000", 3000)]
    assert recipe.beside("shop").environment == {"STAGE": "dev"}
    assert "python 3.12 is asked for" in recipe.notice
    assert recipe.source == ".devcontainer/devcontainer.json"


async def test_a_dockerfile_becomes_steps_in_order() -> None:
    recipe = await read(Dockerfile=DOCKERFILE)
    assert recipe.image == "python:3.12-bookworm"
    first, second = recipe.steps
    assert first.command == "apt-get update && apt-get install -y $EXTRA"
    assert (first.cwd, first.origin, first.environment["EXTRA"]) == ("/srv/app", "Dockerfile, line 7", "jq")
    assert first.environment["PATH"].startswith("/opt/bin:/usr/local/bin:")
    assert second.command == "bash -c 'echo '\"'\"'two'\"'\"''"
    assert recipe.environment["HOME_OF"] == "/srv"
    assert "EXTRA" not in recipe.environment
    assert "line 12: USER is passed over" in recipe.notice


async def test_databases_of_a_compose_file_become_stacks() -> None:
    recipe = await read(**{"compose.yaml": COMPOSE})
    assert (recipe.stacks, recipe.image) == (("postgres", "redis"), None)
    assert "its address is in DATABASE_URL" in recipe.notice


async def test_a_devcontainer_goes_on_to_compose_and_its_dockerfile() -> None:
    keys = {"dockerComposeFile": "../compose.yaml", "service": "app", "postCreateCommand": "make"}
    files = {".devcontainer/devcontainer.json": json.dumps(keys), "compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE}
    recipe = await read(**files)
    assert (recipe.image, recipe.stacks, recipe.setup) == (
        "python:3.12-bookworm",
        ("postgres", "redis"),
        ("make",),
    )


async def test_outrider_toml_names_them_and_says_the_rest() -> None:
    toml = 'dockerfile = "ci/Dockerfile"\nsetup = ["make"]\nenvironment = { STAGE = "ci" }\n'
    recipe = await read(**{"outrider.toml": toml, "ci/Dockerfile": "FROM debian:12\nENV STAGE=dev OTHER=1\n"})
    assert (recipe.image, recipe.found, recipe.source) == ("debian:12", False, "outrider.toml")
    assert (recipe.setup, recipe.environment) == (("make",), {"STAGE": "ci", "OTHER": "1"})


async def test_what_was_only_found_is_left_out_with_a_notice() -> None:
    files = {"Dockerfile": "FROM node:22\nCOPY . .\n", "pyproject.toml": "[project]\nname='a'\nversion='1'\n"}
    recipe = await read(**files, **{"tests/test_a.py": ""})
    assert recipe.image is None
    assert "Not used: Dockerfile, line 2: COPY is not supported." in recipe.notice
    assert recipe.checks


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("RUN true", ["FROM"]),
        ("FROM a\nFROM b", ["line 2: a second FROM"]),
        ("FROM a\nCOPY x y", ["line 2: COPY is not supported", "`setup` of outrider.toml"]),
        ("FROM a\nRUN --mount=type=cache,target=/x true", ["line 2: RUN --mount=type=cache,target=/x"]),
        ("FROM a\nRUN <<EOF\ntrue\nEOF", ["line 2: RUN with a here-document", "&&"]),
        ('FROM a\nSHELL ["zsh"]', ["line 2: this SHELL"]),
        ("FROM a\nENV 1=2", ["line 2", "no name of a variable"]),
        ("FROM a\nENV A='", ["line 2: ENV cannot be read"]),
        ("FROM a\nENV A=" + "x" * 20_000 + "\nENV A=$A$A", ["line 3: the value is too long"]),
        ("FROM a\n" + "RUN true\n" * 31, ["line 32: more than 30 RUN"]),
        ("# escape=`\nFROM a", ["line 1", "backslash"]),
    ],
)
def test_a_dockerfile_beyond_the_subset_is_refused_with_its_line(text: str, said: list[str]) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_dockerfile(text, "Dockerfile")
    assert [part for part in said if part not in str(caught.value)] == []
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"d.json": '{\n  "image": "a",\n  "runArgs": ["--privileged"]\n}'}, ["line 3: `runArgs` is not supported"]),
        ({"d.json": '{"features": {"ghcr.io/devcontainers/features/docker-in-docker:2": {}}}'}, ["packages"]),
        ({"d.json": '{"containerEnv": {"T": "${localEnv:TOKEN}"}}'}, ["`T` refers to another variable"]),
        ({"d.json": '{"forwardPorts": ["db:5432"]}'}, ["no port of the sandbox"]),
        ({"d.json": '{"build": {"dockerfile": "../../x"}}'}, ["not below the repository"]),
        ({"d.json": '{"build": {"dockerfile": "gone"}}'}, ["gone is named but not there"]),
        ({"d.json": "{"}, ["not valid JSON"]),
        ({"d.json": "[1]"}, ["no JSON object"]),
        ({"c.yaml": "services:\n  mail:\n    image: mailhog\n"}, ["line 2: the service “mail”", "[[services]]"]),
        ({"c.yaml": "services: [1]"}, ["names no services"]),
        ({"c.yaml": "a: ["}, ["not valid YAML"]),
    ],
)
async def test_a_named_file_beyond_the_subset_is_refused(files: dict[str, str], said: list[str]) -> None:
    key = "devcontainer" if "d.json" in files else "compose"
    with pytest.raises(RecipeError) as caught:
        await read(**{"outrider.toml": f'{key} = "{next(iter(files))}"\n'}, **files)
    assert [part for part in said if part not in str(caught.value)] == []


async def test_an_image_has_one_origin() -> None:
    with pytest.raises(RecipeError, match="each of them names an image"):
        await read(**{"outrider.toml": 'image = "a"\ndockerfile = "Dockerfile"\n', "Dockerfile": "FROM a\n"})
