"""Reading what lies between two commits."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.integrations.builtin.git import Git
from outrider.integrations.builtin.history import MAX_COMMITS, lenient_person, merge_base, read_commits, read_diff
from outrider.integrations.builtin.history import read_files as read_changes
from outrider.model.errors import RepositoryError
from outrider.testing.git_source import GitSource


@pytest.fixture
def source(tmp_path: Path) -> GitSource:
    return GitSource.create(tmp_path / "source", {"file": "".join(f"line {number}\n" for number in range(2000))})


async def test_a_long_diff_is_cut_after_a_line_and_says_so(source: GitSource) -> None:
    base = source.head()
    head = source.commit("Rewrite", {"file": "".join(f"other {number}\n" for number in range(2000))})
    git = Git(source.folder / ".git")
    whole, cut = await read_diff(git, base, head, limit_bytes=1 << 20)
    assert (cut, whole.count("\n+other"), whole.count("\n-line")) == (False, 2000, 2000)
    part, cut = await read_diff(git, base, head, limit_bytes=10_000)
    assert cut
    assert len(part) <= 10_000
    assert part.endswith("\n")
    assert whole.startswith(part)


async def test_only_the_newest_of_very_many_commits_are_listed(source: GitSource) -> None:
    base = source.head()
    stream = "".join(
        f"commit refs/heads/main\ncommitter G <g@example.org> {1_700_000_000 + number} +0000\ndata {len(str(number))}\n"
        f"{number}\n" + (f"from {base}\n" if number == 0 else "")
        for number in range(MAX_COMMITS + 20)
    )
    source.git("fast-import", "--quiet", stdin=stream.encode())
    commits = await read_commits(Git(source.folder / ".git"), base, source.head())
    assert [commit.subject for commit in commits] == [str(number) for number in range(20, MAX_COMMITS + 20)]


async def test_a_binary_file_has_no_lines(source: GitSource) -> None:
    base = source.head()
    (source.folder / "blob").write_bytes(b"\0\1\2")
    head = source.commit("Binary", {})
    (change,) = await read_changes(Git(source.folder / ".git"), base, head)
    assert (change.path, change.added, change.deleted) == ("blob", None, None)


async def test_two_histories_without_a_common_commit_are_said(source: GitSource) -> None:
    first = source.head()
    source.git("checkout", "--quiet", "--orphan", "fresh")
    second = source.commit("Other beginning", {})
    with pytest.raises(RepositoryError, match="no history in common"):
        await merge_base(Git(source.folder / ".git"), first, second)


@given(st.text(max_size=400), st.text(max_size=400))
def test_every_author_becomes_a_person(name: str, email: str) -> None:
    person = lenient_person(name, email)
    assert person.name
    assert "@" in person.email


def test_a_usual_author_stays_as_he_is() -> None:
    person = lenient_person("Ada Lovelace, Countess", "ada+work@example.org")
    assert (person.name, person.email) == ("Ada Lovelace, Countess", "ada+work@example.org")
