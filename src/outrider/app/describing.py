"""Who is logged in and what a deployment can do, as clients are told."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from outrider import __version__
from outrider.api.views import Demo, Me
from outrider.app.home import Home
from outrider.app.way_out import upstreams
from outrider.model.person import Person
from outrider.model.sandbox import ProbeReport
from outrider.rehearsal.demo import DEMO_NAME, DEMO_PROMPT, write_demo_repository
from outrider.settings import DEFAULT_MODELS, Settings


async def describing(settings: Settings, home: Home, probe: ProbeReport) -> Callable[[Person], Awaitable[Me]]:
    """Says who somebody is and what the deployment can do."""
    demo = await asyncio.to_thread(_demo, home) if settings.default_model.is_rehearsal else None

    async def describe(person: Person) -> Me:
        return Me(
            person=person,
            version=__version__,
            rehearsal=settings.default_model.is_rehearsal,
            default_model=str(settings.default_model),
            models=models(settings),
            provider=probe.provider if probe.works else None,
            isolation=probe.isolation if probe.works else None,
            limit_tier=probe.limit_tier if probe.works else None,
            most_attachments=settings.limit_attachments,
            attachment_bytes=settings.limit_attachment_bytes,
            demo=demo,
        )

    return describe


def _demo(home: Home) -> Demo:
    """A first job for the page to offer where only the rehearsal model answers."""
    repository = home.path / "demo" / DEMO_NAME
    write_demo_repository(repository)
    return Demo(repository=str(repository), prompt=DEMO_PROMPT)


def models(settings: Settings) -> tuple[str, ...]:
    """What can be named without typing: the default first."""
    known = [str(settings.default_model)]
    providers = {upstream.provider for upstream in upstreams(settings, Path())}
    known += [f"{provider}/{name}" for provider, name in DEFAULT_MODELS.items() if provider in providers]
    return tuple(dict.fromkeys([*known, "rehearsal/demo"]))
