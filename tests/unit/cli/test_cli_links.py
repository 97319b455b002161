"""Links that people paste, and what the terminal keeps of where they lead."""

import stat
from pathlib import Path

import pytest

from outrider.cli.links import Link, address_of
from outrider.cli.logins import KeptLogin, Logins
from outrider.model.errors import BadRequest, OutriderError
from outrider.model.person import Person

BOB = KeptLogin(token="bobs-token", person=Person(name="Bob", email="bob@example.org"), guest=True)


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("http://localhost:4100/join#abc-def_g", Link("http://localhost:4100", "abc-def_g")),
        (" https://Outrider.Example.org/join#abcdefgh\n", Link("https://outrider.example.org", "abcdefgh")),
        ("http://[::1]:4100/login/abcdefgh", Link("http://[::1]:4100", "abcdefgh", logs_in=True)),
        ("http://localhost/login/t?to=/sessions/s-aa", Link("http://localhost", "t", logs_in=True, session="s-aa")),
        ("http://localhost/login/t?to=/pulls/1", Link("http://localhost", "t", logs_in=True)),
    ],
)
def test_a_link_is_its_server_and_its_secret(text: str, link: Link) -> None:
    assert Link.parse(text) == link
    assert "abc" not in repr(link)
    assert Link.parse(text, "http://localhost:9999").server == "http://localhost:9999"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s-aaaaaaaaaa",
        "http://localhost:4100/join",
        "http://localhost:4100/login/",
        "http://localhost:4100/sessions/s-aa#secretsecret",
        "ftp://localhost/join#secretsecret",
        "http://ada:secretsecret@localhost/join#secretsecret",
        "http://localhost:port/join#secretsecret",
        "http://[::1/join#secretsecret",
        "http://example.org/join#secretsecret",
    ],
)
def test_what_is_no_link_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        Link.parse(text)
    assert "secretsecret" not in str(refused.value)


def test_no_login_goes_over_a_way_that_is_not_encrypted() -> None:
    assert address_of("https://example.org:8443/any?page#of") == "https://example.org:8443"
    with pytest.raises(BadRequest, match="not encrypted") as refused:
        address_of("http://example.org")
    assert "ssh -L" in refused.value.remedy


def test_logins_are_private_and_each_home_has_its_own_choice(tmp_path: Path) -> None:
    logins, other = (Logins(tmp_path / "config", tmp_path / name) for name in ("one", "two"))
    assert logins.address is None
    logins.keep("http://localhost:4100", BOB)
    assert stat.S_IMODE(logins.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(logins.folder.stat().st_mode) == 0o700
    assert (logins.address, other.address) == ("http://localhost:4100", None)
    assert other.find("http://localhost:4100") == BOB
    assert "bobs-token" not in repr(logins.read())
    other.keep("http://localhost:4200", BOB)
    other.forget("http://localhost:4100")
    assert (logins.address, other.address) == (None, "http://localhost:4200")
    assert [path.name for path in logins.folder.iterdir()] == ["logins.json"]


def test_a_damaged_file_of_logins_is_said(tmp_path: Path) -> None:
    logins = Logins(tmp_path, tmp_path)
    logins.file.write_text('{"logins": {"a": "a-token"}}')
    with pytest.raises(OutriderError, match="is damaged") as damaged:
        logins.read()
    assert "a-token" not in str(damaged.value)
