"""Bringing a sandbox up: services and start commands, in plain processes of this machine."""

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from outrider.fleet.bring_up import BringUp
from outrider.model.ids import LayerId, SandboxId
from outrider.model.sandbox import SandboxSpec
from outrider.model.services import Beside, ServiceSpec
from outrider.ports.sandbox import Guest
from outrider.testing.fake_sandbox import FakeProvider
from outrider.testing.sandbox_contract import shell
from outrider.testing.service_contract import HastyClock
from outrider.testing.tars import tar_of

MARK = str(secrets.randbelow(90_000) + 10_000)
"""Stands in the command line of what is started here: another run's may be on the same machine."""


@pytest.fixture
async def guest(tmp_path: Path) -> AsyncIterator[Guest]:
    provider, layer, tar = FakeProvider(tmp_path / "fake"), LayerId("base-fake"), tmp_path / "base.tar"
    tar.write_bytes(tar_of({"workspace/.keep": b""}))
    await provider.add_layer(layer, tar)
    handle = await provider.create(SandboxSpec(id=SandboxId("sb-one"), layers=(layer,)))
    async with await provider.connect(handle) as guest:
        yield guest
    await provider.destroy(handle)


def bring_up(guest: Guest, beside: Beside) -> BringUp:
    return BringUp(guest, beside, {"HTTPS_PROXY": "http://proxy"}, HastyClock(), lambda _line: None)


async def test_services_of_stacks_then_of_the_repository_then_start_commands(guest: Guest) -> None:
    def noting(name: str) -> ServiceSpec:
        return ServiceSpec(
            name=name, command=f"echo {name} $WORD >>order; exec sleep {MARK}3", ready=f"grep {name} order"
        )

    beside = Beside(
        stack_services=(noting("db"),),
        services=(noting("web"),),
        start=("echo hook $WORD $HTTPS_PROXY >>order", f"sleep {MARK}2 >/dev/null 2>&1 & echo last >>order"),
        environment={"WORD": "up"},
    )
    up = await bring_up(guest, beside).all()
    assert up.failures == ()
    assert [state.name for state in up.services] == ["db", "web"]
    said = await guest.run(shell(f"cat order; pgrep -xfc 'sleep {MARK}[32]'"))
    assert said.output.decode().splitlines() == ["db up", "web up", "hook up http://proxy", "last", "2"]


async def test_what_goes_wrong_is_a_sentence_and_ends_the_start_commands(guest: Guest) -> None:
    beside = Beside(
        services=(ServiceSpec(name="web", command="exit 3"),),
        start=("echo no table; exit 4", "touch never"),
    )
    up = await bring_up(guest, beside).all()
    assert up.failures == (
        "The service web ended with exit code 3. It said nothing.",
        "The start command `echo no table; exit 4` ended with exit code 4. It said: no table",
    )
    assert (await guest.run(shell("test -e never"))).exit_code == 1


async def test_a_start_command_has_no_time_without_end(guest: Guest) -> None:
    up = await bring_up(guest, Beside(start=("sleep 971",), start_timeout_seconds=0.5)).all()
    assert up.start_failed == "The start command `sleep 971` took too long. It said: nothing"
