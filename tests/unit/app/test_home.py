"""One lock says who runs in a home, and the file says where."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from outrider.app.home import Home, RunningServer
from outrider.model.errors import OutriderError, Refused

SERVER = RunningServer(url="http://127.0.0.1:4100", pid=7, version="1")


def test_nobody_runs_in_a_home_that_does_not_exist(tmp_path: Path) -> None:
    assert Home(tmp_path / "none").running() is None


def test_the_address_is_known_while_the_claim_is_held(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with home.claim() as claim:
        assert home.running() is None
        claim.announce(SERVER)
        assert home.running() == SERVER
    assert home.running() is None


def test_a_second_server_is_refused_and_told_where_the_first_is(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with home.claim() as claim:
        claim.announce(SERVER)
        with pytest.raises(Refused, match=r"already runs in .* at http://127\.0\.0\.1:4100"), home.claim():
            pass


def test_the_token_is_made_once_and_private(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    token = home.token()
    assert len(token) > 40
    assert home.token() == token
    assert stat.S_IMODE(home.token_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700


def test_a_home_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutriderError, match="cannot be written"):
        Home(tmp_path / "file" / "home").prepare()


def test_many_who_open_a_home_at_once_have_one_token(tmp_path: Path) -> None:
    """A server and terminals beside it: they look whether it can be written, and make its token, at the same moment."""
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: Home(tmp_path / "home").token(), range(200)))
    assert len(set(tokens)) == 1
    assert len(tokens[0]) > 40
    assert [path.name for path in (tmp_path / "home").iterdir()] == [Home(tmp_path / "home").token_file.name]
