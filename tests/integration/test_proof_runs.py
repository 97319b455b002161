"""Proofs in real sandboxes: real git, real pytest, a real broker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from outrider.broker.door import UnixBroker
from outrider.broker.egress.dial import Dialer
from outrider.broker.egress.proxy import EgressProxy
from outrider.broker.egress.rules import EgressRules, OperatorRules
from outrider.broker.gateway import LlmGateway
from outrider.broker.network import HostNetwork
from outrider.broker.package_clients import PackageClients
from outrider.fleet.base_image import BaseImage
from outrider.fleet.clean import PURPOSE_LABEL, CleanSandboxes
from outrider.fleet.images.machine import Images
from outrider.fleet.limits import SandboxSlots
from outrider.fleet.toolbox import Toolbox
from outrider.model.events import CheckFinished, CheckStarted, StageReported
from outrider.model.ids import CommitId, ProofId, SessionId
from outrider.model.proof import CaseOutcome, CheckResult, CheckVerdict, Phase, Proof, ProofVerdict
from outrider.ports.clock import SystemClock
from outrider.proof.runner import ProofEvent, ProofRequest, Prover
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.git_folder import GitFolder
from outrider.testing.memory_image_catalog import MemoryImageCatalog
from outrider.testing.memory_store import MemoryBlobs
from outrider.tools.mcp import build_tools_app

pytestmark = pytest.mark.sandbox

SESSION = SessionId("s-aaaaaaaaaa")

PYTEST = (
    '[[checks]]\nname = "tests"\ncommand = "python3 -m pytest -q --junitxml=$OUTRIDER_JUNIT"\ntimeout_seconds = 60\n'
)


@dataclass
class Bench:
    """A prover, its repository, and all that it told."""

    prover: Prover
    git: GitFolder
    blobs: MemoryBlobs
    provider: NamespaceProvider
    uses: MemoryImageCatalog
    events: list[ProofEvent] = field(default_factory=list)

    async def prove(self, base: CommitId, head: CommitId) -> Proof:
        async def report(event: ProofEvent) -> None:
            self.events.append(event)

        there_before = await self.sandboxes()
        request = ProofRequest(ProofId("proof-aaaaaaaaaa"), SESSION, "demo", base, head)
        proof = await self.prover.prove(request, report)
        assert await self.sandboxes() <= there_before
        return proof

    async def sandboxes(self) -> set[str]:
        return {info.handle.id for info in await self.provider.list({}) if PURPOSE_LABEL in info.labels}

    async def log(self, result: CheckResult) -> bytes:
        assert result.log is not None
        return (await self.blobs.get(SESSION, result.log))[0]


@pytest.fixture
async def bench(namespaces_provider: NamespaceProvider, tmp_path: Path, short_path: Path) -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(LlmGateway([]))
        egress = EgressProxy(EgressRules(OperatorRules()), Dialer(HostNetwork()))
        clients = PackageClients(HostNetwork())
        broker = await stack.enter_async_context(UnixBroker(short_path, gateway, egress, build_tools_app, clients))
        sandboxes = CleanSandboxes(namespaces_provider, broker, SandboxSlots(2))
        images = Images(sandboxes, BaseImage(), Toolbox())
        git, blobs, uses = GitFolder(tmp_path / "q.git"), MemoryBlobs(), MemoryImageCatalog()
        yield Bench(Prover(sandboxes, images, git, blobs, SystemClock(), uses), git, blobs, namespaces_provider, uses)


def of(proof: Proof, phase: Phase, name: str = "tests") -> CheckResult:
    (result,) = [result for result in proof.results if (result.phase, result.name) == (phase, name)]
    return result


async def test_a_fix_is_red_before_and_green_after(bench: Bench) -> None:
    base = await bench.git.commit({
        "outrider.toml": PYTEST,
        "adder.py": "def add(a, b):\n    return a - b\n",
        "tests/test_zero.py": "from adder import add\n\ndef test_zero():\n    assert add(1, 0) == 1\n",
        "tests/conftest.py": "import sys\nsys.path.insert(0, '.')\n",
    })  # fmt: skip
    head = await bench.git.commit({
        "adder.py": "def add(a, b):\n    return a + b\n",
        "tests/test_sum.py": "from adder import add\n\ndef test_sum():\n    assert add(2, 2) == 4\n",
        "outrider.toml": PYTEST.replace("python3 -m pytest", "true #"),
    }, base)  # fmt: skip
    proof = await bench.prove(base, head)
    assert proof.verdict is ProofVerdict.FIX_PROVED, proof.model_dump_json(indent=1)
    assert [(case.case, case.before, case.after) for case in proof.red_to_green] == [
        ("tests.test_sum::test_sum", CaseOutcome.FAILED, CaseOutcome.PASSED)
    ]
    assert proof.marked_files == ("outrider.toml",)
    assert proof.recipe_source == "outrider.toml"
    assert [result.phase for result in proof.results] == [Phase.BASE, Phase.BEFORE, Phase.AFTER]
    before, after = of(proof, Phase.BEFORE), of(proof, Phase.AFTER)
    assert (before.commit, before.tests_from, before.verdict) == (base, head, CheckVerdict.FAILED)
    assert (before.exit_code, before.passed, before.failed) == (1, 1, 1)
    assert (after.commit, after.tests_from, after.verdict) == (head, None, CheckVerdict.PASSED)
    assert "pytest" in after.command
    assert b"1 failed, 1 passed" in await bench.log(before)
    assert "2 passed" in after.tail
    started = [event.phase for event in bench.events if isinstance(event, CheckStarted)]
    finished = [event.result for event in bench.events if isinstance(event, CheckFinished)]
    assert sorted(started) == sorted(Phase)
    assert sorted(finished, key=str) == sorted(proof.results, key=str)


def recipe(command: str, *, top: str = "", more: str = "timeout_seconds = 60") -> str:
    return f"{top}\n[[checks]]\nname = \"tests\"\ncommand = '''{command}'''\n{more}\n"


async def one_file_changes(bench: Bench, recipe_text: str) -> tuple[CommitId, CommitId]:
    base = await bench.git.commit({"outrider.toml": recipe_text, "a.txt": "old\n"})
    return base, await bench.git.commit({"a.txt": "new\n"}, base)


async def test_a_module_that_does_not_load_in_the_base_is_weaker(bench: Bench) -> None:
    base = await bench.git.commit({"outrider.toml": PYTEST, "test_old.py": "def test_old():\n    pass\n"})
    head = await bench.git.commit({"m.py": "x = 1\n", "test_m.py": "import m\n\ndef test_x():\n    assert m.x\n"}, base)
    proof = await bench.prove(base, head)
    assert proof.verdict is ProofVerdict.FIX_PROVED_WEAKLY
    assert [(case.case, case.before) for case in proof.red_to_green] == [("test_m::test_x", CaseOutcome.ERROR)]
    assert of(proof, Phase.BEFORE).errors == 1


async def test_a_node_project_without_a_recipe_is_proved_by_the_toolbox(bench: Bench) -> None:
    base = await bench.git.commit({
        "package.json": '{"type": "module", "scripts": {"test": "node --test"}}',
        "sum.js": "export const sum = (a, b) => a - b;\n",
        "sum.test.js": "import test from 'node:test';\ntest('nothing', () => {});\n",
    })  # fmt: skip
    head = await bench.git.commit({
        "sum.js": "export const sum = (a, b) => a + b;\nexport const zero = 0;\n",
        "sum.test.js": "import test from 'node:test';\nimport assert from 'node:assert';\n"
        "import { sum } from './sum.js';\n"
        "test('sum', () => assert.equal(sum(2, 2), 4));\n",
        "zero.test.js": "import test from 'node:test';\nimport { zero } from './sum.js';\ntest('zero', () => zero);\n",
    }, base)  # fmt: skip
    proof = await bench.prove(base, head)
    assert proof.verdict is ProofVerdict.FIX_PROVED, proof.model_dump_json(indent=1)
    assert [(case.case, case.before) for case in proof.red_to_green] == [
        ("sum.test.js > sum", CaseOutcome.FAILED),
        ("zero.test.js > zero", CaseOutcome.ERROR),
    ]
    assert proof.vanished == ("sum.test.js > nothing",)
    assert proof.recipe_source == "package.json"


async def test_removed_and_skipped_tests_are_shown_and_prove_nothing(bench: Bench) -> None:
    base = await bench.git.commit({
        "outrider.toml": PYTEST,
        "test_a.py": "def test_a():\n    assert 0\n",
        "test_b.py": "def test_b():\n    assert 0\n",
    })  # fmt: skip
    skipped = "import pytest\n\n@pytest.mark.skip\ndef test_b():\n    assert 0\n\ndef test_new():\n    pass\n"
    head = await bench.git.commit({"test_a.py": None, "test_b.py": skipped}, base)
    proof = await bench.prove(base, head)
    assert proof.verdict is ProofVerdict.STILL_GREEN
    assert (proof.vanished, proof.newly_skipped) == (("test_a::test_a",), ("test_b::test_b",))
    assert of(proof, Phase.BEFORE).verdict is CheckVerdict.PASSED, "the deleted test file is deleted before as well"


async def test_without_changed_tests_base_is_the_run_before(bench: Bench) -> None:
    base, head = await one_file_changes(bench, recipe("grep -q new a.txt"))
    proof = await bench.prove(base, head)
    assert [result.phase for result in proof.results] == [Phase.BASE, Phase.AFTER]
    assert proof.verdict is ProofVerdict.FIX_PROVED_WEAKLY
    assert of(proof, Phase.AFTER).passed is None


async def test_a_hanging_check_is_killed_with_what_it_started(bench: Bench) -> None:
    hang = recipe("echo begun; setsid sleep 1000 & sleep 1000", more="timeout_seconds = 1")
    proof = await bench.prove(*await one_file_changes(bench, hang))
    after = of(proof, Phase.AFTER)
    assert (proof.verdict, after.verdict) == (ProofVerdict.RED, CheckVerdict.TIMED_OUT)
    assert 1 <= after.seconds < 10
    assert after.tail.startswith("begun")
    assert "Killed after 1 s" in after.tail
    assert proof.summary == "With the change, “tests” ran out of time."


async def test_what_a_check_leaves_running_does_not_hold_it_up(bench: Bench) -> None:
    leave = recipe("setsid sh -c 'while :; do echo noise; sleep 0.1; done' & echo done")
    proof = await bench.prove(*await one_file_changes(bench, leave))
    assert of(proof, Phase.AFTER).verdict is CheckVerdict.PASSED
    assert of(proof, Phase.AFTER).seconds < 30


async def test_a_hundred_megabytes_are_counted_and_not_kept(bench: Bench) -> None:
    flood = recipe("echo first; head -c 104857600 /dev/zero | tr '\\0' x; echo; echo last")
    proof = await bench.prove(*await one_file_changes(bench, flood))
    after = of(proof, Phase.AFTER)
    assert (after.verdict, after.log_bytes, after.log_truncated) == (CheckVerdict.PASSED, 104857600 + 12, True)
    log = await bench.log(after)
    assert len(log) < 1_100_000
    assert log.startswith(b"first\nxxx")
    assert log.endswith(b"xxx\nlast\n")


async def test_a_setup_that_fails_says_what_it_printed(bench: Bench) -> None:
    failing = recipe("true", top='setup = ["echo preparing", "echo no such package >&2; exit 7"]')
    base, head = await one_file_changes(bench, failing)
    proof = await bench.prove(base, head)
    assert proof.verdict is ProofVerdict.NOT_RUN
    assert proof.summary == "Nothing is proved: “tests” could not be set up."
    for phase in (Phase.BASE, Phase.AFTER):
        result = of(proof, phase)
        assert (result.verdict, result.exit_code) == (CheckVerdict.SETUP_FAILED, 7)
        assert "no such package" in result.tail
        assert "`echo no such package >&2; exit 7` ended with 7" in result.tail
    assert StageReported in {type(event) for event in bench.events}


async def test_the_setup_of_the_base_is_kept_and_serves_a_head_with_the_same_inputs(bench: Bench) -> None:
    top = 'setup = ["date +%s%N > stamp", "touch ~/made"]\nsetup_inputs = ["lock"]'
    text = recipe("cat stamp && test -e ~/made", top=top)
    base = await bench.git.commit({"outrider.toml": text, "lock": str(bench.git.path(SESSION))})
    same = await bench.git.commit({"a.txt": "new\n"}, base)
    other = await bench.git.commit({"lock": "2"}, base)
    first, second, third = [await bench.prove(base, head) for head in (same, same, other)]
    stamps = [
        (await bench.log(of(proof, Phase.BASE)), await bench.log(of(proof, Phase.AFTER)))
        for proof in (first, second, third)
    ]
    assert len({stamps[0][0], stamps[0][1], stamps[1][0], stamps[1][1], stamps[2][0]}) == 1
    assert stamps[2][1] != stamps[0][0]
    (kept,) = await bench.uses.layer_uses()
    assert await bench.provider.has_layer(kept)


async def test_what_a_heads_setup_writes_reaches_no_other_run(bench: Bench) -> None:
    text = recipe("test ! -e ~/poison && sh check.sh", top='setup = ["sh prepare.sh"]')
    base = await bench.git.commit({"outrider.toml": text, "prepare.sh": "true\n", "check.sh": "exit 1\n"})
    hook = "echo 'touch ~/poison' > .git/hooks/post-checkout; chmod +x .git/hooks/post-checkout"
    evil = f"touch ~/poison; echo 'exit 0' > check.sh; mkdir -p .git/hooks; {hook}\n"
    head = await bench.git.commit({"prepare.sh": evil}, base)
    assert of(await bench.prove(base, head), Phase.AFTER).exit_code == 1
    good = await bench.git.commit({"check.sh": "exit 0\n"}, base)
    proof = await bench.prove(base, good)
    assert (of(proof, Phase.BASE).exit_code, of(proof, Phase.AFTER).exit_code) == (1, 0)


async def test_a_setup_from_sources_is_made_for_each_commit(bench: Bench) -> None:
    text = recipe("grep -q new installed", top='setup = ["cp a.txt installed"]')
    proof = await bench.prove(*await one_file_changes(bench, text))
    assert (of(proof, Phase.BASE).exit_code, of(proof, Phase.AFTER).exit_code) == (1, 0)


BOMB = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {name} "{f"&{inner};" * 10}">' for inner, name in zip("abcdefgh", "bcdefghi", strict=True)
)


HOSTILE = {
    "bomb": ("cp bomb.xml $OUTRIDER_JUNIT", "declares a document type or entities"),
    "huge": ("head -c 52428800 /dev/zero > $OUTRIDER_JUNIT", "larger than 10 MB"),
    "endless": ("ln -s /dev/zero $OUTRIDER_JUNIT", None),
    "pipe": ("mkfifo $OUTRIDER_JUNIT", None),
}
"""How a check writes its report, and what is said of it; nothing of one that is no file."""


async def test_hostile_reports_are_refused_with_a_sentence_and_those_that_never_end_are_none(bench: Bench) -> None:
    checks = "".join(f"[[checks]]\nname = '{name}'\ncommand = '{write}'\n" for name, (write, _) in HOSTILE.items())
    base = await bench.git.commit({"outrider.toml": checks, "bomb.xml": f"{BOMB}]><testsuite>&i;</testsuite>"})
    proof = await bench.prove(base, await bench.git.commit({"a.txt": "x"}, base))
    for name, (_, said) in HOSTILE.items():
        after = of(proof, Phase.AFTER, name)
        assert (after.verdict, after.passed) == (CheckVerdict.PASSED, None), name
        assert said is None or said in after.tail
        assert ("judged by its exit code alone" in after.tail) is (said is not None), name


async def test_a_report_that_came_with_the_commit_is_not_believed(bench: Bench) -> None:
    forged = '<testsuite><testcase name="forged"/></testsuite>'
    text = recipe("mkdir -p out/deep; cp fresh.xml out/deep/r.xml", more='junit = "out/**/*.xml"')
    base = await bench.git.commit({"outrider.toml": text, "fresh.xml": forged.replace("forged", "fresh")})
    head = await bench.git.commit({"out/forged.xml": forged, "out/test_a.py": ""}, base)
    proof = await bench.prove(base, head)
    assert [of(proof, phase).passed for phase in Phase] == [1, 1, 1]
    assert proof.vanished == ()


async def test_a_check_has_no_way_out(bench: Bench) -> None:
    reach = "python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", 4180), 2)'; test $? -ne 0"
    proof = await bench.prove(
        *await one_file_changes(
            bench, recipe(f"{reach} && test ! -s /proc/net/route -o $(wc -l < /proc/net/route) = 1")
        )
    )
    assert of(proof, Phase.AFTER).exit_code == 0, of(proof, Phase.AFTER).tail


async def test_a_check_that_kills_its_sandbox_is_reported(bench: Bench) -> None:
    proof = await bench.prove(*await one_file_changes(bench, recipe("pkill -9 sshd; sleep 5")))
    after = of(proof, Phase.AFTER)
    assert (proof.verdict, after.verdict) == (ProofVerdict.NOT_RUN, CheckVerdict.STOPPED)
    assert proof.could_not_run
    assert after.tail


async def test_a_wrong_recipe_and_none_at_all_are_not_run_with_a_sentence(bench: Bench) -> None:
    wrong = await bench.prove(*await one_file_changes(bench, "chekcs = 3"))
    assert wrong.verdict is ProofVerdict.NOT_RUN
    assert "line 1: `chekcs` is not a key" in wrong.summary
    base = await bench.git.commit({"README.md": "x"})
    nothing = await bench.prove(base, await bench.git.commit({"README.md": "y"}, base))
    assert nothing.verdict is ProofVerdict.NOT_RUN
    assert "write an outrider.toml" in nothing.summary
    assert (wrong.could_not_run, nothing.could_not_run) == (True, False)


@pytest.mark.parametrize(("on_base", "on_head"), [(True, True), (True, False), (False, False), (False, True)])
async def test_a_setup_without_checks_has_to_work_on_the_head(bench: Bench, on_base: bool, on_head: bool) -> None:
    text = 'setup = ["test -e works"]\nsetup_inputs = ["works"]\n'
    base = await bench.git.commit({"outrider.toml": text} | ({"works": ""} if on_base else {}))
    head = await bench.git.commit({"works": "" if on_head else None, "notes.md": "x"}, base)
    proof = await bench.prove(base, head)
    assert (proof.verdict, proof.setup_failed, proof.could_not_run) == (ProofVerdict.NOT_RUN, not on_head, False)
    assert ("`test -e works` ended with 1" in proof.summary) is not on_head


async def test_cancelling_destroys_the_sandboxes(bench: Bench) -> None:
    base, head = await one_file_changes(bench, recipe("sleep 1000"))
    there_before = await bench.sandboxes()
    begun = asyncio.Event()

    async def report(event: ProofEvent) -> None:
        if isinstance(event, CheckStarted):
            begun.set()

    request = ProofRequest(ProofId("proof-aaaaaaaaaa"), SESSION, "demo", base, head)
    async with asyncio.TaskGroup() as group:
        proving = group.create_task(bench.prover.prove(request, report), name="proving")
        async with asyncio.timeout(60):
            await begun.wait()
        proving.cancel()
    assert proving.cancelled()
    assert await bench.sandboxes() <= there_before
