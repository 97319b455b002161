"""`outrider.toml`: what is taken, and what is said about what is not."""

import json
from pathlib import Path

import pytest

from outrider.model.errors import RecipeError
from outrider.proof.recipe import RECIPE_BYTES_LIMIT, parse_recipe
from outrider.proof.recipe_schema import recipe_schema

WHOLE = b"""
packages = ["postgresql", "libpq-dev"]
setup = ["python3 -m venv .venv", ".venv/bin/pip install -e ."]
setup_timeout_seconds = 60
setup_inputs = ["pyproject.toml"]
tests = ["spec/**"]

[[checks]]
name = "tests"
command = ".venv/bin/pytest --junitxml=$OUTRIDER_JUNIT"
timeout_seconds = 30

[[checks]]
name = "lint"
command = "make lint"
junit = "reports/*.xml"
egress = true
"""


def test_every_key_is_taken() -> None:
    recipe = parse_recipe(WHOLE)
    assert recipe.packages == ("postgresql", "libpq-dev")
    assert recipe.setup[1] == ".venv/bin/pip install -e ."
    assert (recipe.setup_timeout_seconds, recipe.setup_inputs) == (60, ("pyproject.toml",))
    assert recipe.tests == ("spec/**",)
    assert [(check.name, check.timeout_seconds, check.junit, check.egress) for check in recipe.checks] == [
        ("tests", 30, None, False),
        ("lint", 900, "reports/*.xml", True),
    ]
    assert (recipe.source, recipe.notice) == ("outrider.toml", "")


def test_a_recipe_without_checks_says_so() -> None:
    assert parse_recipe(b"packages = ['jq']").notice == "outrider.toml names no checks."


ROUND = b"""
image = "docker.io/library/python:3.12-bookworm"
stacks = ["postgres", "redis"]
start = ["make migrate"]
start_timeout_seconds = 20
warm = 2

[egress]
presets = ["pypi"]
hosts = ["*.example.org", "files.example.org:8443"]

[[services]]
name = "web"
command = "make serve"
ready = "curl -fs http://127.0.0.1:8000/health"
port = 8000
timeout_seconds = 30

[[preview]]
name = "app"
port = 8000
"""


def test_what_runs_beside_the_work_is_taken() -> None:
    recipe = parse_recipe(ROUND)
    assert (recipe.image, recipe.stacks) == ("docker.io/library/python:3.12-bookworm", ("postgres", "redis"))
    assert (recipe.start, recipe.start_timeout_seconds, recipe.warm) == (("make migrate",), 20, 2)
    assert (recipe.egress.presets, recipe.egress.hosts) == (("pypi",), (".example.org", "files.example.org:8443"))
    assert [(it.name, it.command, it.ready, it.port, it.timeout_seconds) for it in recipe.services] == [
        ("web", "make serve", "curl -fs http://127.0.0.1:8000/health", 8000, 30)
    ]
    assert [(it.name, it.port) for it in recipe.preview] == [("app", 8000)]


CHECK = b'[[checks]]\nname = "a"\ncommand = "true"\n'
SERVICE = b'[[services]]\nname = "db"\ncommand = "true"\n'
PREVIEW = b'[[preview]]\nname = "app"\nport = 8000\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"checkz = 1", ["line 1: `checkz` is not a key", "setup_timeout_seconds"]),
        (CHECK + b'\n[[checks]]\nname = "b"\ncommand = "x"\ntimeout = 3', ["line 8: `checks[2].timeout`", "junit"]),
        (CHECK + b'\n[[checks]]\nname = "b"\n', ["line 5: `checks[2].command` is missing"]),
        (CHECK + CHECK, ["two checks are named “a”"]),
        (b'setup = "make"', ["line 1: `setup`: should be a list"]),
        (b'packages = ["a; rm -rf /"]', ["`packages[1]`", "'a; rm -rf /' is not allowed", "libpq-dev"]),
        (b'packages = ["--allow-unauthenticated"]', ["`packages[1]`"]),
        (b'tests = ["../x"]', ["'../x' is not a path below the repository"]),
        (b'tests = ["/etc/*"]', ["is not a path below the repository"]),
        (b'tests = ["' + b"*/" * 9 + b'"]', ["more stars"]),
        (CHECK + b'junit = "*.xml"', ["line 4: `checks[1].junit`", "begin with the name of a folder"]),
        (CHECK + b"timeout_seconds = 0", ["line 4", "greater than 0"]),
        (CHECK + b'egress = "maybe"', ["should be true or false"]),
        (b"setup = [", ["not valid TOML"]),
        (b"environment = { OUTRIDER_JUNIT = 'x' }", ["`environment", "OUTRIDER_JUNIT is Outrider's own"]),
        (b"environment = { 'A B' = 'x' }", ["`environment", "is not allowed"]),
        (b"image = 'a'\ndockerfile = 'Dockerfile'", ["each of them names an image"]),
        (b"dockerfile = '../Dockerfile'", ["line 1: `dockerfile`", "not a path below the repository"]),
        (b"image = 'a b'", ["line 1: `image`: 'a b' is not allowed", "registry, repository and tag"]),
        (b'stacks = ["mysql"]', ["line 1: `stacks[1]`", "'postgres', 'redis', 'desktop' or 'ide'"]),
        (b'stacks = ["redis", "redis"]', ["the stack “redis” is named twice"]),
        (b'start = "make"', ["`start`: should be a list"]),
        (b"warm = -1", ["line 1: `warm`", "greater than or equal to 0"]),
        (b"warm = 1.5", ["whole number"]),
        (SERVICE + b"prot = 1", ["line 4: `services[1].prot` is not a key", "timeout_seconds"]),
        (SERVICE + b"port = 70000", ["line 4: `services[1].port`", "less than or equal to 65535"]),
        (SERVICE + b"port = 4180", ["port 4180 in the sandbox is taken by Outrider itself"]),
        (b"[[services]]\nname = 'db'", ["line 1: `services[1].command` is missing", "stays in the foreground"]),
        (SERVICE + SERVICE, ["two services are named “db”"]),
        (SERVICE + b"port = 1\n" + SERVICE.replace(b"db", b"kv") + b"port = 1", ["two services have port 1"]),
        (b"services = 'db'", ["`services`: should be a list", "[[services]] table"]),
        (b"[[preview]]\nname = 'App'\nport = 1", ["line 2: `preview[1].name`: 'App' is not allowed"]),
        (PREVIEW + PREVIEW, ["two previews are named “app”"]),
        (b"[egress]\nhost = ['a.b']", ["line 2: `egress.host` is not a key", "presets, hosts"]),
        (b"warm = 1\n[egress]\nhosts = ['http://a.b/']", ["line 3: `egress.hosts[1]`", "registry.example.com"]),
        (b"[egress]\npresets = ['all']", ["line 2: `egress.presets[1]`", "'pypi', 'npm'"]),
        (b"\xff\xfe", ["not UTF-8"]),
        (b"#" * (RECIPE_BYTES_LIMIT + 1), ["larger than 64 kB"]),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(text: bytes, said: list[str]) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text)
    assert [part for part in said if part not in str(caught.value)] == []


def test_the_published_schema_is_fresh() -> None:
    page = Path(__file__).parents[3] / "docs/reference/outrider.schema.json"
    assert page.read_text() == recipe_schema(), f"{page.name} is stale; run `python scripts/generate_reference.py`"


def test_every_key_is_explained_in_the_reference() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/outrider-toml.md").read_text()
    schema = json.loads(recipe_schema())
    keys = [*schema["properties"], *(key for kind in schema["$defs"].values() for key in kind.get("properties", ()))]
    assert [key for key in keys if f"`{key}`" not in page] == []
