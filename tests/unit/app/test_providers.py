"""Which provider a deployment gets."""

from collections.abc import Callable
from inspect import signature
from pathlib import Path

import pytest

from outrider.app.providers import PROVIDERS, STRONGEST_FIRST, Make, choose_provider
from outrider.model.sandbox import ProbeReport
from outrider.ports.clock import Clock, SystemClock
from outrider.ports.sandbox import SandboxProvider
from outrider.settings import Settings
from outrider.testing.fake_sandbox import FakeProvider


class Offered(FakeProvider):
    """One that works or not."""

    def __init__(self, state: Path, name: str, works: Callable[[], bool]) -> None:
        super().__init__(state / name)
        self.name = name
        self._works = works

    async def probe(self) -> ProbeReport:
        """As the test has it."""
        report = await super().probe()
        return report.model_copy(update={"works": self._works(), "detail": f"This is {self.name}."})


@pytest.fixture
def working(tmp_path: Path) -> set[str]:
    """The names of the providers that work."""
    return set()


@pytest.fixture
def offers(tmp_path: Path, working: set[str]) -> list[tuple[str, Make]]:
    def make(name: str) -> Make:
        return lambda _settings, _clock: Offered(tmp_path, name, lambda: name in working)

    return [(name, make(name)) for name in ("strong", "middle", "weak")]


def settings(home: Path, **fields: str) -> Settings:
    return Settings(home=home, **fields)  # type: ignore[arg-type]


async def test_the_strongest_that_works_is_taken(
    tmp_path: Path, offers: list[tuple[str, Make]], working: set[str]
) -> None:
    working |= {"middle", "weak"}
    chosen = await choose_provider(settings(tmp_path), SystemClock(), offers)
    assert (chosen.provider.name, chosen.report.works) == ("middle", True)


async def test_a_home_stays_with_its_first_while_that_works(
    tmp_path: Path, offers: list[tuple[str, Make]], working: set[str]
) -> None:
    working |= {"weak"}
    await choose_provider(settings(tmp_path), SystemClock(), offers)
    working |= {"strong"}
    again = await choose_provider(settings(tmp_path), SystemClock(), offers)
    assert again.provider.name == "weak"
    working -= {"weak"}
    assert (await choose_provider(settings(tmp_path), SystemClock(), offers)).provider.name == "strong"


async def test_where_none_works_the_one_that_needs_least_says_why(tmp_path: Path) -> None:
    def make(name: str) -> Make:
        return lambda _settings, _clock: Offered(tmp_path, name, lambda: False)

    offers = [(name, make(name)) for name in ("strong", "namespaces", "docker")]
    chosen = await choose_provider(settings(tmp_path), SystemClock(), offers)
    assert (chosen.report.works, chosen.report.detail) == (False, "This is namespaces.")
    assert not (tmp_path / "provider").exists()


def kind(provider: SandboxProvider) -> str:
    """Its name, and the runtime that it insists on."""
    return " with ".join(word for word in (provider.name, vars(provider).get("_runtime")) if word)


@pytest.mark.parametrize(
    ("works", "taken"),
    [
        ({"microsandbox", "docker with runsc", "namespaces", "docker"}, "microsandbox"),
        ({"microsandbox", "docker"}, "microsandbox"),
        ({"docker with runsc", "namespaces", "docker"}, "docker with runsc"),
        ({"docker with runsc", "docker"}, "docker with runsc"),
        ({"namespaces", "docker"}, "namespaces"),
        ({"docker"}, "docker"),
    ],
)
async def test_auto_takes_the_strongest_wall_of_those_that_work(tmp_path: Path, works: set[str], taken: str) -> None:
    """Of the real list: a kernel of its own, then gVisor's, then ids that own nothing, then the machine's own."""

    def offered(make: Make) -> Make:
        def made(settings: Settings, clock: Clock) -> Offered:
            found = kind(make(settings, clock))
            return Offered(tmp_path, found, lambda: found in works)

        return made

    offers = [(name, offered(make)) for name, make in STRONGEST_FIRST]
    chosen = await choose_provider(settings(tmp_path), SystemClock(), offers)
    assert (chosen.provider.name, chosen.report.works) == (taken, True)


def test_every_provider_can_be_set_and_auto_tries_no_other() -> None:
    field = Settings.model_fields["sandbox"].annotation
    assert {"auto", *PROVIDERS} == set(field.__args__)  # type: ignore[union-attr]
    assert {name for name, _ in STRONGEST_FIRST} == set(PROVIDERS)
    assert signature(choose_provider).parameters["candidates"].default is STRONGEST_FIRST
