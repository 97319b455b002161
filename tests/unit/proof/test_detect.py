"""What is detected where there is no outrider.toml."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.proof.detect import DETECTED_FILES, detect
from outrider.proof.recipe import Recipe


def python(pyproject: str, *paths: str) -> Recipe:
    return detect(frozenset({"pyproject.toml", *paths}), {"pyproject.toml": pyproject.encode()})


def node(package: object, *paths: str) -> Recipe:
    return detect(frozenset({"package.json", *paths}), {"package.json": json.dumps(package).encode()})


PROJECT = '[project]\nname = "x"\n[build-system]\nbuild-backend = "hatchling.build"\n'


def test_pip_with_extras() -> None:
    recipe = python(PROJECT + '[project.optional-dependencies]\ntest = ["pytest"]\ndocs = []', "tests/test_a.py")
    assert recipe.setup == ("python3 -m venv .venv", ".venv/bin/pip install --quiet -e '.[test]'")
    assert recipe.checks[0].command.startswith(".venv/bin/python -m pytest ")
    assert '--junitxml="$OUTRIDER_JUNIT"' in recipe.checks[0].command
    assert recipe.packages == ("python3-venv",)
    assert recipe.source == "pyproject.toml"
    assert "uv.lock" in (recipe.setup_inputs or ())


def test_pytest_is_installed_where_nobody_declares_it() -> None:
    assert python(PROJECT, "test_a.py").setup[-1] == ".venv/bin/pip install --quiet pytest"


def test_dependency_groups_need_a_newer_pip() -> None:
    setup = python(PROJECT + '[dependency-groups]\ndev = ["pytest"]', "test_a.py").setup
    assert setup[1:] == (
        ".venv/bin/pip install --quiet --upgrade pip",
        ".venv/bin/pip install --quiet -e . --group dev",
    )


@pytest.mark.parametrize(("lock", "tool"), [("uv.lock", "sync --frozen"), ("poetry.lock", "install --no-interaction")])
def test_the_lock_file_says_which_tool(lock: str, tool: str) -> None:
    recipe = python(PROJECT + '[tool.pytest.ini_options]\naddopts = "-q"', lock)
    assert tool in recipe.setup[1]
    assert recipe.source == f"pyproject.toml with {lock}"


@pytest.mark.parametrize(
    ("pyproject", "paths"),
    [
        (PROJECT.replace("hatchling.build", "maturin"), ["test_a.py"]),
        (PROJECT, ["test_a.py", "setup.py"]),
        (PROJECT + "[tool.hatch.build.hooks.custom]", ["test_a.py"]),
    ],
)
def test_a_setup_that_builds_from_sources_is_never_used_for_another_commit(pyproject: str, paths: list[str]) -> None:
    assert python(pyproject, *paths).setup_inputs is None


def test_npm_ci_and_the_reports_of_node() -> None:
    recipe = node({"scripts": {"test": "node --test test/*.js"}}, "package-lock.json")
    assert recipe.setup == ("npm ci",)
    assert recipe.checks[0].command.startswith("node --test --test-reporter=spec")
    assert recipe.checks[0].command.endswith('destination="$OUTRIDER_JUNIT" test/*.js')
    assert recipe.source == "package.json with package-lock.json"


@pytest.mark.parametrize(
    ("package", "command"),
    [
        ({"scripts": {"test": "vitest run"}}, 'npm test -- --reporter=default --reporter=junit --outputFile.junit="$'),
        ({"scripts": {"test": "jest"}}, "npm test"),
        ({"scripts": {"test": "jest"}, "devDependencies": {"jest-junit": "1"}}, "JEST_JUNIT_OUTPUT_FILE="),
        ({"scripts": {"test": "node --test && echo done"}}, "npm test"),
        ({"scripts": {"test": "node --test", "pretest": "tsc"}}, "npm test"),
        ({"scripts": {"test": "mocha"}}, "npm test"),
    ],
)
def test_a_report_is_asked_for_where_the_runner_can_write_one(package: object, command: str) -> None:
    assert node(package).checks[0].command.startswith(command)


def test_scripts_that_run_at_install_make_every_setup_its_own() -> None:
    package = {"scripts": {"test": "mocha", "prepare": "tsc"}}
    assert node(package, "package-lock.json").setup_inputs is None
    assert node({"scripts": {"test": "mocha"}}, "package-lock.json").setup_inputs is not None


def test_both_languages_are_joined() -> None:
    contents = {"pyproject.toml": PROJECT.encode(), "package.json": b'{"scripts": {"test": "mocha"}}'}
    recipe = detect(frozenset({*contents, "test_a.py"}), contents)
    assert [check.name for check in recipe.checks] == ["pytest", "npm test"]
    assert recipe.source == "pyproject.toml and package.json"


@pytest.mark.parametrize(
    "recipe",
    [
        detect(frozenset({"README.md"}), {}),
        python(PROJECT, "src/x.py"),
        python("not toml ]["),
        node({"scripts": {"test": 'echo "Error: no test specified" && exit 1'}}),
        node([1, 2]),
        node({"scripts": {"test": 3}}),
    ],
)
def test_where_nothing_is_known_it_says_what_to_do(recipe: Recipe) -> None:
    assert (recipe.checks, recipe.source) == ((), "")
    assert "write an outrider.toml" in recipe.notice


@given(st.dictionaries(st.sampled_from(sorted(DETECTED_FILES)), st.binary(max_size=100)))
def test_no_content_is_an_error(contents: dict[str, bytes]) -> None:
    assert detect(frozenset(contents), contents).notice


JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)
PACKAGES = st.dictionaries(
    st.sampled_from(["scripts", "dependencies", "devDependencies"]),
    JSON | st.dictionaries(st.sampled_from(["test", "prepare"]), JSON),
)


@given(PACKAGES)
def test_no_shape_of_package_json_is_an_error(package: object) -> None:
    assert node(package).notice
