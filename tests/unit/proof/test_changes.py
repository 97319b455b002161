"""What is read of two commits before anything runs: recipe, test files, marked files."""

from pathlib import Path

import pytest

from outrider.model.errors import LimitReached, RecipeError
from outrider.model.ids import SessionId
from outrider.model.proof import Phase
from outrider.proof.changes import read_changes
from outrider.proof.clean_run import Tree
from outrider.proof.detect import FILE_BYTES_LIMIT
from outrider.proof.reading import read_recipe
from outrider.testing.git_folder import GitFolder

SESSION = SessionId("s-aaaaaaaaaa")
RECIPE = "[[checks]]\nname = 'a'\ncommand = 'make test'\n"


@pytest.fixture
def git(tmp_path: Path) -> GitFolder:
    return GitFolder(tmp_path / "q.git")


async def test_changed_tests_are_laid_over_and_deleted_ones_removed(git: GitFolder) -> None:
    base = await git.commit({"outrider.toml": RECIPE, "tests/old.py": "1", "tests/same.py": "1", "src/a.py": "1"})
    head = await git.commit({"tests/old.py": None, "tests/new.py": "1", "src/a.py": "2"}, base)
    changes = await read_changes(git, SESSION, base, head, await read_recipe(git, SESSION, base))
    assert changes.trees(base, head) == {
        Phase.AFTER: Tree(head),
        Phase.BEFORE: Tree(base, head, ("tests/new.py",), ("tests/old.py",)),
        Phase.BASE: Tree(base),
    }


async def test_without_changed_tests_there_is_no_tree_before(git: GitFolder) -> None:
    base = await git.commit({"outrider.toml": RECIPE, "a": "1"})
    head = await git.commit({"a": "2"}, base)
    changes = await read_changes(git, SESSION, base, head, await read_recipe(git, SESSION, base))
    assert set(changes.trees(base, head)) == {Phase.AFTER, Phase.BASE}


async def test_files_that_run_checks_are_marked_and_manifests_only_for_their_scripts(git: GitFolder) -> None:
    package = '{"version": "%s", "scripts": {"test": "%s"}}'
    base = await git.commit({
        "outrider.toml": RECIPE, "Makefile": "test:\n", "a/package.json": package % (1, "x"),
        "b/package.json": package % (1, "x"), "c/package.json": package % (1, "x"), "plain": "1",
    })  # fmt: skip
    head = await git.commit({
        "Makefile": "test:\n\ttrue\n", "a/package.json": package % (2, "x"), "b/package.json": package % (1, "true"),
        "c/package.json": package % ("1" * FILE_BYTES_LIMIT, "x"), "plain": "2", ".github/workflows/ci.yml": "on: push",
    }, base)  # fmt: skip
    changes = await read_changes(git, SESSION, base, head, await read_recipe(git, SESSION, base))
    assert changes.marked == (".github/workflows/ci.yml", "Makefile", "b/package.json", "c/package.json")


async def test_very_many_marked_files_are_listed_up_to_the_limit(git: GitFolder) -> None:
    base = await git.commit({"outrider.toml": RECIPE, "package.json": "{}"})
    head = await git.commit({"package.json": "[]", **{f"d{n:03}/conftest.py": "" for n in range(205)}}, base)
    changes = await read_changes(git, SESSION, base, head, await read_recipe(git, SESSION, base))
    assert len(changes.marked) == 200


async def test_the_file_wins_over_detection_and_its_mistakes_are_told(git: GitFolder) -> None:
    package = '{"scripts": {"test": "mocha"}}'
    detected = await git.commit({"package.json": package})
    written = await git.commit({"outrider.toml": RECIPE}, detected)
    wrong = await git.commit({"outrider.toml": "x"}, detected)
    assert (await read_recipe(git, SESSION, detected)).source == "package.json"
    assert (await read_recipe(git, SESSION, written)).checks[0].command == "make test"
    with pytest.raises(RecipeError, match="not valid TOML"):
        await read_recipe(git, SESSION, wrong)
    huge = await git.commit({"outrider.toml": "#" * 70_000}, detected)
    with pytest.raises(LimitReached, match=r"outrider\.toml is larger"):
        await read_recipe(git, SESSION, huge)
