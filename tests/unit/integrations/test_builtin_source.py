"""What people name as a repository is told apart, and what cannot be used is refused with a reason."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from outrider.integrations.builtin.source import LocalSource, NamedSource, RemoteSource, name_for, parse_source
from outrider.model.errors import RepositoryError
from outrider.model.repository import RepositoryName
from outrider.testing.git_source import GitSource

NAME: TypeAdapter[str] = TypeAdapter(RepositoryName)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("https://example.org/team/Shop.git", "shop"),
        ("https://example.org/team/shop/", "shop"),
        ("ssh://git@example.org:2222/~ada/shop", "shop"),
        ("git@example.org:team/shop.git", "shop"),
        ("example.org:shop", "shop"),
        ("git://example.org/my%20shop", "my-20shop"),
    ],
)
def test_addresses_of_other_hosts(text: str, name: str) -> None:
    source = parse_source(f"  {text}\n")
    assert isinstance(source, RemoteSource)
    assert source.address == text.rstrip("/")
    assert name_for(source) == name


def test_folders_are_found_from_inside_and_by_file_url(tmp_path: Path) -> None:
    top = GitSource.create(tmp_path / "a shop", {"src/x": "1"}).folder
    expected = LocalSource(top, bare=False)
    for text in (f"{top}", f"{top}/", f"{top}/src", f"{top}/.git/..", f"file://{tmp_path}/a%20shop"):
        assert parse_source(text) == expected
    assert name_for(expected) == "a-shop"


def test_a_link_to_a_folder_is_the_folder(tmp_path: Path) -> None:
    top = GitSource.create(tmp_path / "shop", {"x": "1"}).folder
    (tmp_path / "link").symlink_to(top)
    assert parse_source(str(tmp_path / "link")) == LocalSource(top, bare=False)


def test_a_bare_repository_is_found(tmp_path: Path) -> None:
    GitSource.create(tmp_path / "shop", {"x": "1"}).git("clone", "--quiet", "--bare", ".", str(tmp_path / "Shop.git"))
    source = parse_source(str(tmp_path / "Shop.git"))
    assert isinstance(source, LocalSource)
    assert (source.bare, name_for(source)) == (True, "shop")


def test_a_word_is_a_name() -> None:
    assert parse_source("shop") == NamedSource("shop")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "names no repository"),
        ("--upload-pack=touch x", "names no repository"),
        ("a\x1b[2J", "names no repository"),
        ("x" * 5000, "names no repository"),
        ("ext::sh -c touch% x", "cannot be read by ext"),
        ("ext://x/y", "cannot be read by ext"),
        ("https://ada:secret@example.org/shop", "holds a password"),
        ("https:///shop", "names no host"),
        ("https://[broken/shop", "not a valid URL"),
        ("/nowhere/at/all", "There is no folder"),
        ("./nowhere", "There is no folder"),
    ],
)
def test_what_cannot_be_used_is_refused(text: str, reason: str) -> None:
    with pytest.raises(RepositoryError, match=reason) as caught:
        parse_source(text)
    assert "secret" not in str(caught.value)


def test_a_folder_without_a_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="is not a git repository") as caught:
        parse_source(str(tmp_path))
    assert "git init" in caught.value.remedy


@given(st.text(min_size=1, max_size=300))
def test_every_address_gives_a_valid_name(address: str) -> None:
    NAME.validate_python(name_for(RemoteSource(address)))
