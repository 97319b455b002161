"""The composition root: builds every part of a deployment from its settings, and owns what runs in the background."""

import asyncio
import contextlib
import logging
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from outrider.api.attempts import Attempts
from outrider.api.auth import Authenticator
from outrider.api.parts import Parts
from outrider.api.push_hooks import PushHooks
from outrider.api.uploads import Uploads
from outrider.app.author import find_author
from outrider.app.backup.writing import backups_of
from outrider.app.catalog_keeper import CatalogKeeper
from outrider.app.describing import describing, models
from outrider.app.home import Home
from outrider.app.image_works import ImageWorks, Ingredients, make_image_works
from outrider.app.limits import of_machine, report
from outrider.app.litter import Litter
from outrider.app.loop_watch import LoopWatch
from outrider.app.providers import choose_provider
from outrider.app.supplies import (
    make_floors,
    make_layer_blobs,
    make_machine_images,
)
from outrider.app.warm_plans import RecipeWarmPlans
from outrider.app.way_out import open_broker
from outrider.broker.git import GitReadApp
from outrider.engines.acp import AcpEngine
from outrider.engines.profiles.opencode import OpenCode
from outrider.fleet.claims import LayerClaims
from outrider.fleet.clean import PURPOSE_LABEL, CleanSandboxes, reap_left_behind
from outrider.fleet.floors import DiskWatch
from outrider.fleet.images.machine import Images
from outrider.fleet.images.renewal import Bases
from outrider.fleet.limits import SandboxSlots
from outrider.fleet.pool.memory import MemoryGauge
from outrider.fleet.pool.plan import WarmPlans
from outrider.fleet.pool.pool import Pool, PoolPolicy, Room
from outrider.fleet.pool.warm import POOL_LABEL, WarmMaker
from outrider.fleet.snapshots import Snapshots
from outrider.integrations.builtin.forge import BuiltinForge
from outrider.integrations.builtin.quarantine import GitQuarantine
from outrider.integrations.github.pushes import GithubPushes
from outrider.integrations.gitlab.pushes import GitlabPushes
from outrider.model.child_commands import Caps
from outrider.model.commands import Report
from outrider.model.engine import ModelRef
from outrider.model.errors import OutriderError
from outrider.model.events import ProblemReported
from outrider.model.ids import SandboxId, SessionId
from outrider.model.membership import House
from outrider.model.person import Person
from outrider.model.sandbox import Limits, ProbeReport
from outrider.ports.broker import Broker
from outrider.ports.clock import Clock, SystemClock
from outrider.ports.engine import Engine
from outrider.ports.sandbox import SandboxProvider, Watchdog
from outrider.proof.recipes import Recipes
from outrider.proof.runner import Prover
from outrider.session.attachments import AttachmentCollector
from outrider.session.forking import NamedLayers, collect_snapshots
from outrider.session.found import SESSION_LABEL
from outrider.session.meters import Meters
from outrider.session.policy import Budget, Policy
from outrider.session.quotas import Quotas
from outrider.session.redaction import Redactor
from outrider.session.registry import Registry
from outrider.session.spawning import Spawning
from outrider.session.turn_slots import TurnSlots
from outrider.session.world import World
from outrider.settings import Settings
from outrider.storage.attachments import DirectoryAttachments
from outrider.storage.blobs import DirectoryBlobs
from outrider.storage.catalog import Catalog, open_catalog
from outrider.storage.catalog_copy import CATALOG
from outrider.storage.search import SqliteSearch
from outrider.storage.session_log import SqliteSessionLogs

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Foundation:
    """What everything else stands on."""

    settings: Settings
    home: Home
    owner: Person
    url: str
    clock: Clock
    catalog: Catalog
    search: SqliteSearch
    blobs: DirectoryBlobs
    attachments: DirectoryAttachments
    quotas: Quotas
    turns: TurnSlots
    provider: SandboxProvider
    probe: ProbeReport
    broker: Broker
    snapshots: Snapshots
    named: NamedLayers
    claims: LayerClaims
    meters: Meters


@dataclass(frozen=True, slots=True)
class Heart:
    """The sessions, and what they start from."""

    registry: Registry
    forge: BuiltinForge
    works: ImageWorks
    pool: Pool
    spawning: Spawning


@asynccontextmanager
async def deploy(settings: Settings, home: Home, url: str, engine: Engine | None = None) -> AsyncIterator[Parts]:
    """A running deployment, for as long as the context lives. Leaving it puts every session to sleep and stops their
    sandboxes, files kept. Another `engine` than OpenCode is for whoever wants to know what the rest does with it."""
    async with AsyncExitStack() as stack:
        base = await _foundation(settings, home, url, stack)
        await reap_left_behind(base.provider, PURPOSE_LABEL, POOL_LABEL)
        heart = _heart(base, engine or AcpEngine(OpenCode()))
        stack.push_async_callback(_stop_sandboxes, base.provider)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        running = (
            tasks.create_task(heart.registry.run(), name="sessions"),
            tasks.create_task(heart.pool.run(), name="pool"),
            tasks.create_task(LoopWatch(base.clock, base.meters.stalls).run(), name="loop watch"),
            tasks.create_task(_watchdog(base, heart.registry).run(), name="watchdog"),
            tasks.create_task(_disk_watch(base, heart.registry).run(), name="disk watch"),
            *heart.works.start(tasks),
            tasks.create_task(_litter(base, heart.registry).run(), name="files that nobody names"),
            tasks.create_task(_keeper(base, heart.registry).run(), name="copies of the catalog"),
        )
        try:
            yield await _parts(base, heart)
        finally:
            for task in running:
                task.cancel()


async def _foundation(settings: Settings, home: Home, url: str, stack: AsyncExitStack) -> Foundation:
    clock = SystemClock()
    runtime = stack.enter_context(_short_folder(home))
    catalog = await stack.enter_async_context(open_catalog(home.path / CATALOG, clock))
    search = SqliteSearch(home.path / "search.sqlite")
    stack.callback(search.close)
    chosen = await choose_provider(settings, clock)
    return Foundation(
        settings=settings,
        home=home,
        owner=(await asyncio.to_thread(find_author)).person,
        url=url,
        clock=clock,
        meters=Meters(),
        catalog=catalog,
        search=search,
        blobs=DirectoryBlobs(home.path / "blobs"),
        quotas=Quotas(catalog.rates, clock, settings.house_limits.rates),
        turns=TurnSlots(settings.house_limits.work),
        attachments=DirectoryAttachments(home.path / "blobs" / "attachments", clock),
        provider=chosen.provider,
        probe=chosen.report,
        snapshots=Snapshots(chosen.provider, make_layer_blobs(settings), home.path / "scratch"),
        named=_named(home),
        claims=LayerClaims(catalog.images, clock),
        broker=await stack.enter_async_context(open_broker(settings, runtime, catalog.audit, catalog.egress)),
    )


def _named(home: Home) -> NamedLayers:
    logs = SqliteSessionLogs(home.path / "sessions")
    return NamedLayers(logs.ids, logs.damaged)


@contextmanager
def _short_folder(home: Home) -> Iterator[Path]:
    """A private folder for sockets. A Unix socket's path may have 107 bytes, and a home may be deep. A link in the home
    names it, so that what a killed server left is removed by the next one."""
    link = home.path / "runtime"
    if link.is_symlink():
        shutil.rmtree(link.readlink(), ignore_errors=True)
    link.unlink(missing_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="outrider-"))
    link.symlink_to(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        link.unlink(missing_ok=True)


def _heart(base: Foundation, engine: Engine) -> Heart:
    """The sessions and the forge, which tell each other what happens."""
    settings, home, provider = base.settings, base.home, base.provider
    quarantine, forge = GitQuarantine(home.path / "quarantine"), _forge(base)
    limits, floors = settings.limits, make_floors(settings)
    line = partial(SandboxSlots, settings.max_sandboxes, floors=floors, totals=settings.totals)
    slots, clean = line(), CleanSandboxes(provider, base.broker, line(), limits, base.claims)
    bases, images = make_machine_images(settings, clean)
    redactor = Redactor((*settings.secrets, home.token()))
    works = _image_works(base, images, bases, forge, recipes := Recipes(quarantine), redactor)
    makes = WarmMaker(provider, base.broker, engine, base.clock, limits)
    pool = _pool(base, makes, RecipeWarmPlans(works.images, forge, recipes), slots)
    world = World(
        clock=base.clock,
        provider=provider,
        images=images,
        repository_images=works.images,
        snapshots=base.snapshots,
        slots=slots,
        prover=Prover(clean, images, quarantine, base.blobs, base.clock, base.claims),
        engine=engine,
        broker=base.broker,
        forges={forge.name: forge},
        quarantine=quarantine,
        recipes=recipes,
        redactor=redactor,
        blobs=base.blobs,
        attachments=base.attachments,
        quotas=base.quotas,
        turns=base.turns,
        pool=pool,
        meters=base.meters,
        house=_house(base),
        models=tuple(map(ModelRef.parse, models(settings))),
    )
    policy = _policy(base, limits)
    registry = Registry(SqliteSessionLogs(home.path / "sessions"), base.catalog.sessions, base.search, world, policy)
    forge.listener = base.named.registry = registry
    forge.push_listener = works.schedule
    return Heart(registry, forge, works, pool, Spawning(world, policy))


def _house(base: Foundation) -> House:
    others = base.settings.default_role
    return House(owner=base.owner.email, others=None if others == "none" else others)


def _policy(base: Foundation, limits: Limits) -> Policy:
    settings = base.settings
    return Policy(
        isolation=base.probe.isolation,
        limit_tier=base.probe.limit_tier,
        limits=limits,
        idle_seconds=base.settings.idle_seconds,
        snapshots_kept=base.settings.snapshots_kept,
        queue=settings.house_limits.queue,
        caps=Caps(settings.child_depth, settings.children, settings.tree_sessions),
        budget=Budget(settings.budget_usd, settings.budget_tokens),
    )


def _image_works(
    base: Foundation,
    machine: Images,
    bases: Bases,
    forge: BuiltinForge,
    recipes: Recipes,
    redactor: Redactor,
) -> ImageWorks:
    given = Ingredients(
        settings=base.settings,
        clock=base.clock,
        catalog=base.catalog.images,
        index=base.catalog.sessions,
        machine=machine,
        bases=bases,
        forge=forge,
        recipes=recipes,
        redactor=redactor,
        claims=base.claims,
    )
    return make_image_works(given, base.named)


def _forge(base: Foundation) -> BuiltinForge:
    return BuiltinForge(
        base.home.path / "forge",
        base.catalog.forge,
        base.clock,
        public_base=lambda: base.url,
        operator_environment=base.settings.environment,
    )


def _pool(base: Foundation, makes: WarmMaker, plans: WarmPlans, slots: SandboxSlots) -> Pool:
    settings = base.settings
    policy = PoolPolicy(settings.pool_sandboxes, settings.default_model, settings.pool_target)
    return Pool(
        makes,
        plans,
        Room(slots, MemoryGauge().read, lambda: make_floors(settings).shortage("the pool"), settings.limits),
        base.clock,
        policy,
    )


async def _parts(base: Foundation, heart: Heart) -> Parts:
    return Parts(
        clock=base.clock,
        house=_house(base),
        quotas=base.quotas,
        registry=heart.registry,
        index=base.catalog.sessions,
        search=base.search,
        forge=heart.forge,
        blobs=base.blobs,
        attachments=base.attachments,
        uploads=Uploads(),
        limits=base.settings.house_limits.prompt,
        limits_of=partial(report, base.settings.house_limits, of_machine(base.settings), base.quotas, base.turns),
        audit=base.catalog.audit,
        egress=base.catalog.egress,
        builds=heart.works.builds,
        images=heart.works.images,
        renewal=heart.works.renewal,
        collector=heart.works.collector,
        pool=heart.pool,
        meters=base.meters,
        sandboxes=lambda: base.provider.list({}),
        spawning=heart.spawning,
        authenticator=Authenticator(base.owner, base.home.token(), base.catalog.logins, base.clock),
        invites=base.catalog.invites,
        attempts=Attempts(base.clock),
        hooks=_hooks(base, heart.works),
        backup=backups_of(base.settings, base.clock, base.snapshots.store),
        describe=await describing(base.settings, base.home, base.probe),
        git_app=lru_cache(maxsize=256)(GitReadApp),
        address=lambda: base.url,
    )


def _hooks(base: Foundation, works: ImageWorks) -> PushHooks:
    secret = base.settings.webhook_secret
    return PushHooks(
        secret=secret.get_secret_value() if secret else "",
        formats=(GithubPushes(), GitlabPushes()),
        attempts=Attempts(base.clock, "signatures that do not fit"),
        take=works.pushes.take,
    )


def _watchdog(base: Foundation, registry: Registry) -> Watchdog:
    """Says in a session what a limit has ended in its sandbox. A clean sandbox's end is told by its check."""

    async def tell(sandbox: SandboxId, sentence: str) -> None:
        owners = [info.labels.get(SESSION_LABEL) for info in await base.provider.list({}) if info.handle.id == sandbox]
        for session in filter(None, owners):
            with contextlib.suppress(OutriderError):
                await registry.ask(SessionId(session), Report(ProblemReported(sentence=sentence)))

    return base.provider.watchdog(tell)


def _disk_watch(base: Foundation, registry: Registry) -> DiskWatch:
    """Says in every session whose sandbox runs that the disk under all of them gets short."""

    async def tell(sentence: str) -> None:
        for info in await base.provider.list({}):
            session = info.labels.get(SESSION_LABEL)
            if session and info.running:
                with contextlib.suppress(OutriderError):
                    await registry.ask(SessionId(session), Report(ProblemReported(sentence=sentence)))

    return DiskWatch(make_floors(base.settings), base.clock, tell)


def _keeper(base: Foundation, registry: Registry) -> CatalogKeeper:
    path = base.home.path / CATALOG
    return CatalogKeeper(path, base.catalog.rescue, base.catalog.sessions, registry, base.clock)


def _litter(base: Foundation, registry: Registry) -> Litter:
    ids = SqliteSessionLogs(base.home.path / "sessions").ids
    collector = AttachmentCollector(base.attachments, ids, registry)
    return Litter(lambda: collect_snapshots(base.named, base.snapshots), collector.collect, base.clock)


async def _stop_sandboxes(provider: SandboxProvider) -> None:
    """Nothing is left running behind a server that was told to stop; the files of every sandbox are kept, whatever
    becomes of the machine."""
    for info in await provider.list({}):
        if info.running:
            await provider.stop(info.handle)
    await provider.settle()
