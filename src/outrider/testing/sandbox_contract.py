"""What every sandbox provider has to do, real or fake. Subclass the contracts in a test file, with the fixtures
`make_provider` (a provider over one state, anew at each call) and `base` (a layer to make sandboxes from)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from outrider.model.errors import Refused, SandboxError, SandboxLost
from outrider.model.ids import LayerId, SandboxId, new_id
from outrider.model.sandbox import WORKSPACE, GuestRole, SandboxHandle, SandboxSpec
from outrider.ports.sandbox import ExecSpec, Guest, SandboxProvider

MakeProvider = Callable[[], SandboxProvider]

Traces = Callable[[SandboxId], Awaitable[list[str]]]
"""All that is left of a sandbox on the machine: processes, mounts, folders, records."""

MOMENTS = 12
"""At how many of its moments a creation is cancelled."""


def shell(script: str, cwd: str = WORKSPACE, **env: str) -> ExecSpec:
    """A shell script in the workspace."""
    return ExecSpec(argv=["sh", "-c", script], cwd=cwd, env=env)


def spec_of(base: LayerId, **fields: object) -> SandboxSpec:
    """A sandbox with an id of its own."""
    return SandboxSpec.model_validate({"id": new_id("sb"), "layers": (base,), **fields})


class SandboxFixtures:
    @pytest.fixture
    def make_provider(self) -> MakeProvider:
        """Gives a new provider object over one and the same state."""
        raise NotImplementedError

    @pytest.fixture
    def base(self) -> LayerId:
        """A layer to make sandboxes from."""
        raise NotImplementedError

    @pytest.fixture
    def adapter(self) -> str:
        """A program that defines `make()`, which gives a provider over the same state in another process."""
        raise NotImplementedError

    @pytest.fixture
    def traces(self) -> Traces:
        """Finds what is left of a sandbox."""
        raise NotImplementedError

    @pytest.fixture
    def provider(self, make_provider: MakeProvider) -> SandboxProvider:
        """The provider to test."""
        return make_provider()

    @pytest.fixture
    async def sandbox(self, provider: SandboxProvider, base: LayerId) -> AsyncIterator[SandboxHandle]:
        """A running sandbox."""
        handle = await provider.create(spec_of(base, labels={"for": "contract"}))
        yield handle
        await provider.destroy(handle)

    @pytest.fixture
    async def guest(self, provider: SandboxProvider, sandbox: SandboxHandle) -> AsyncIterator[Guest]:
        """A connection to it."""
        async with await provider.connect(sandbox) as guest:
            yield guest


class LifecycleContract(SandboxFixtures):
    """For `outrider.ports.sandbox.SandboxProvider`."""

    async def test_the_probe_says_that_it_works(self, provider: SandboxProvider) -> None:
        report = await provider.probe()
        assert report.works, report
        assert report.provider == provider.name

    async def test_a_sandbox_is_listed_by_its_labels(self, provider: SandboxProvider, base: LayerId) -> None:
        handle = await provider.create(spec_of(base, labels={"session": "s-one", "kind": "check"}))
        rows = [row for row in await provider.list({"session": "s-one"}) if row.handle == handle]
        others = await provider.list({"session": "s-two"})
        await provider.destroy(handle)
        assert [(row.labels["kind"], row.running, row.layers) for row in rows] == [("check", True, (base,))]
        assert handle not in [row.handle for row in others]

    async def test_a_missing_layer_is_refused_and_leaves_nothing(self, provider: SandboxProvider) -> None:
        spec = spec_of(LayerId("layer-missing"))
        with pytest.raises(SandboxError, match="layer-missing"):
            await provider.create(spec)
        assert spec.id not in [row.handle.id for row in await provider.list({})]

    async def test_an_id_is_given_once(self, provider: SandboxProvider, sandbox: SandboxHandle, base: LayerId) -> None:
        with pytest.raises(SandboxError, match="exists"):
            await provider.create(spec_of(base, id=sandbox.id))
        assert [row.running for row in await provider.list({}) if row.handle == sandbox] == [True]

    async def test_another_process_finds_and_reaches_it(
        self, make_provider: MakeProvider, sandbox: SandboxHandle, guest: Guest
    ) -> None:
        await guest.run(shell("echo kept >file"))
        again = make_provider()
        assert sandbox in [row.handle for row in await again.list({"for": "contract"}) if row.running]
        async with await again.connect(sandbox) as other:
            assert (await other.run(shell("cat file"))).output == b"kept\n"

    async def test_another_label_is_its_only_one_and_survives_us(
        self, make_provider: MakeProvider, provider: SandboxProvider, base: LayerId
    ) -> None:
        handle = await provider.create(spec_of(base, labels={"pool": "p-one", "kind": "warm"}))
        async with await provider.connect(handle) as guest:
            await provider.relabel(handle, {"session": "s-relabelled"})
            assert (await guest.run(shell("echo on"))).output == b"on\n"
        rows = [row for row in await make_provider().list({"session": "s-relabelled"}) if row.handle == handle]
        assert [(dict(row.labels), row.running) for row in rows] == [({"session": "s-relabelled"}, True)]
        assert handle not in [row.handle for row in await provider.list({"pool": "p-one"})]
        await provider.destroy(handle)
        with pytest.raises(SandboxLost):
            await provider.relabel(handle, {"session": "s-relabelled"})

    async def test_stop_and_start_keep_the_files(self, provider: SandboxProvider, sandbox: SandboxHandle) -> None:
        async with await provider.connect(sandbox) as guest:
            await guest.run(shell("echo kept >file && sync"))
        await provider.stop(sandbox)
        await provider.stop(sandbox)
        assert [row.running for row in await provider.list({}) if row.handle == sandbox] == [False]
        with pytest.raises(SandboxLost):
            await provider.connect(sandbox)
        await provider.start(sandbox)
        await provider.start(sandbox)
        async with await provider.connect(sandbox) as guest:
            assert (await guest.run(shell("cat file"))).output == b"kept\n"

    async def test_a_frozen_sandbox_becomes_a_layer_and_is_gone(self, provider: SandboxProvider, base: LayerId) -> None:
        layer = LayerId(new_id("layer"))
        handle = await provider.create(spec_of(base))
        async with await provider.connect(handle) as guest:
            await guest.run(shell("echo baked >file && mkdir old && touch old/a && chmod 750 old"))
        assert await provider.freeze(handle, layer) == layer
        assert handle not in [row.handle for row in await provider.list({})]
        upper = await provider.create(spec_of(base, layers=(base, layer)))
        async with await provider.connect(upper) as guest:
            assert (await guest.run(shell("cat file; stat -c %a old; rm -r old"))).output == b"baked\n750\n"
        with pytest.raises(Refused):
            await provider.delete_layer(layer)
        await provider.destroy(upper)
        await provider.delete_layer(layer)
        assert not await provider.has_layer(layer)

    async def test_the_first_layer_of_a_name_wins(self, provider: SandboxProvider, base: LayerId) -> None:
        layer = LayerId(new_id("layer"))
        for word in ("first", "second"):
            handle = await provider.create(spec_of(base))
            async with await provider.connect(handle) as guest:
                await guest.run(shell(f"echo {word} >file"))
            await provider.freeze(handle, layer)
        handle = await provider.create(spec_of(base, layers=(base, layer)))
        async with await provider.connect(handle) as guest:
            assert (await guest.run(shell("cat file"))).output == b"first\n"
        await provider.destroy(handle)
        await provider.delete_layer(layer)

    async def test_destroy_may_be_repeated(self, provider: SandboxProvider, base: LayerId) -> None:
        handle = await provider.create(spec_of(base))
        await provider.destroy(handle)
        await provider.destroy(handle)
        assert handle not in [row.handle for row in await provider.list({})]
        with pytest.raises(SandboxLost):
            await provider.connect(handle)

    async def test_a_build_runs_as_root_of_its_own_files(self, provider: SandboxProvider, base: LayerId) -> None:
        handle = await provider.create(spec_of(base, role=GuestRole.BUILD))
        async with await provider.connect(handle) as guest:
            done = await guest.run(
                shell("touch file && chown 33:33 file && chmod 600 file && cat file && stat -c %u file")
            )
        await provider.destroy(handle)
        assert (done.exit_code, done.output) == (0, b"33\n"), done

    async def test_a_build_can_be_stopped(self, provider: SandboxProvider, base: LayerId) -> None:
        handle = await provider.create(spec_of(base, role=GuestRole.BUILD))
        async with await provider.connect(handle) as guest:
            process = await guest.start(shell("sleep 982 & echo up; wait"))
            assert await anext(process.stdout()) == b"up\n"
            await process.signal("TERM")
            assert await process.wait() == 128 + 15
            late = await guest.run(shell("sleep 982 & sleep 982"), timeout_seconds=0.3)
            left = await guest.run(shell("pgrep -f 'sleep 98[2]'"))
        await provider.destroy(handle)
        assert (late.timed_out, late.exit_code, left.exit_code) == (True, 128 + 9, 1)

    @pytest.mark.parametrize("times", [1, 1000])
    async def test_a_creation_that_is_cancelled_leaves_nothing(
        self, provider: SandboxProvider, base: LayerId, traces: Traces, times: int
    ) -> None:
        """Whenever that is: at moments that are spread over as long as a whole one lasts."""
        clock = asyncio.get_running_loop().time
        began = clock()
        await provider.destroy(await provider.create(spec_of(base)))
        lasts = clock() - began
        for moment in range(MOMENTS):
            spec = spec_of(base)
            async with asyncio.TaskGroup() as tasks:
                task = tasks.create_task(provider.create(spec))
                await asyncio.wait({task}, timeout=lasts * moment / MOMENTS)
                for _ in range(times):
                    if task.cancel():
                        await asyncio.wait({task}, timeout=0.01)
            if not task.cancelled():
                await provider.destroy(task.result())
            assert spec.id not in [row.handle.id for row in await provider.list({})]
            left = await traces(spec.id)
            assert left == [], left
