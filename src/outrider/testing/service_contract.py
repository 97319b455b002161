"""What services do in every sandbox, real or fake. Subclass with the fixtures of `SandboxFixtures`."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta

from outrider.fleet.services import end_services, start_services
from outrider.model.sandbox import SandboxHandle
from outrider.model.services import SERVICE_ROLE, ServiceSpec, ServiceState, ServiceStatus
from outrider.ports.sandbox import Guest, SandboxProvider
from outrider.testing.sandbox_contract import SandboxFixtures, shell


class HastyClock:
    """A clock on which waiting takes no time, but is counted."""

    def __init__(self) -> None:
        self._elapsed = 0.0

    def now(self) -> datetime:
        """Wall time in UTC."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Let others run, and count."""
        self._elapsed += seconds
        await asyncio.sleep(0.01)


async def start(guest: Guest, *specs: ServiceSpec, **environment: str) -> tuple[ServiceState, ...]:
    """Start services on a clock of their own."""
    return await start_services(guest, specs, environment, HastyClock(), lambda _line: None)


def sleeper(name: str, mark: str, **fields: object) -> ServiceSpec:
    """A service that can be found by its mark."""
    return ServiceSpec.model_validate({"name": name, "command": f"echo up >{name}.up; sleep {mark}", **fields})


class ServicesContract(SandboxFixtures):
    """For `outrider.fleet.services`."""

    async def test_a_service_is_started_once_and_asked_until_it_is_ready(self, guest: Guest) -> None:
        mark = f"{secrets.randbelow(90_000) + 10_000}"
        slow = ServiceSpec(
            name="slow", command=f'echo "$WORD" >>words; sleep {mark}', ready="echo asked >>asked; test -s words"
        )
        first = await start(guest, slow, WORD="hello")
        again = await start(guest, slow, WORD="hello")
        words = await guest.run(shell("cat words; pgrep -xfc 'sleep " + mark + "'; grep -c asked asked"))
        assert [state.status for state in (*first, *again)] == [ServiceStatus.READY] * 2, first
        assert words.output.splitlines()[:2] == [b"hello", b"1"]
        assert int(words.output.splitlines()[2]) >= 2
        await guest.kill_everything()

    async def test_it_outlives_a_stopped_turn_and_the_connection(self, provider: SandboxProvider, guest: Guest) -> None:
        mark = f"{secrets.randbelow(90_000) + 10_000}"
        split = sleeper("db", mark, command=f"(env -i /usr/bin/setsid sleep {mark}) & sleep {mark}")
        assert (await start(guest, split))[0].status is ServiceStatus.READY
        await guest.run(shell(f"setsid sleep {mark} </dev/null >/dev/null 2>&1 & echo up"))
        assert await guest.kill_everything(spare=[SERVICE_ROLE]) == 1
        async with await provider.connect(await self._handle(provider, guest)) as other:
            assert (await other.run(shell(f"pgrep -xfc 'sleep {mark}'"))).output == b"2\n"
            assert (await start(other, split))[0].status is ServiceStatus.READY
            assert (await other.run(shell(f"pgrep -xfc 'sleep {mark}'"))).output == b"2\n"
            assert await other.kill_everything() >= 3

    async def test_one_that_ends_says_how_and_the_next_is_tried(self, guest: Guest) -> None:
        broken = ServiceSpec(name="broken", command="echo no such file; exit 7", ready="false")
        silent = ServiceSpec(name="silent", command="exit 0")
        fine = ServiceSpec(name="fine", command="sleep 977")
        states = await start(guest, broken, silent, fine)
        assert [state.status.value for state in states] == ["failed", "failed", "ready"]
        assert states[0].detail == "The service broken ended with exit code 7. It said: no such file"
        assert states[1].detail == "The service silent ended with exit code 0. It said nothing."
        await guest.kill_everything()

    async def test_one_that_is_never_ready_is_given_up(self, guest: Guest) -> None:
        stuck = ServiceSpec(name="stuck", command="echo warming up; sleep 976", ready="false", timeout_seconds=30)
        deaf = ServiceSpec(name="deaf", command="sleep 975", port=9, timeout_seconds=1)
        states = await start(guest, stuck, deaf)
        assert states[0].detail == "The service stuck was not ready after 30 s. It said: warming up"
        assert states[1].detail == "The service deaf was not ready after 1 s. It said nothing."
        await guest.kill_everything()

    async def test_one_that_was_killed_is_started_again(self, guest: Guest) -> None:
        spec = sleeper("again", "974", ready="pgrep -xf 'sleep 97[4]'")
        assert (await start(guest, spec))[0].status is ServiceStatus.READY
        assert await guest.kill_everything() >= 2
        assert (await start(guest, spec))[0].status is ServiceStatus.READY
        await guest.kill_everything()

    async def test_before_a_freeze_they_end_in_order(self, guest: Guest) -> None:
        tidy = ServiceSpec(
            name="tidy", command="trap 'echo tidied >tidied; exit 0' TERM; touch up; while :; do sleep 0.02; done",
            ready="test -e up",
        )  # fmt: skip
        assert (await start(guest, tidy))[0].status is ServiceStatus.READY
        await end_services(guest)
        assert (await guest.run(shell("cat tidied"))).output == b"tidied\n"
        assert await guest.kill_everything() == 0

    async def _handle(self, provider: SandboxProvider, guest: Guest) -> SandboxHandle:
        return next(row.handle for row in await provider.list({}) if row.handle.id == guest.sandbox)
