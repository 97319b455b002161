"""Stacks and their services in real sandboxes, and checks that need a database. The layers are kept between runs."""

from collections.abc import Sequence

import pytest

from outrider.fleet.bring_up import BringUp
from outrider.fleet.clean import CleanSpec
from outrider.model.ids import ProofId, SessionId
from outrider.model.proof import Phase, ProofVerdict
from outrider.ports.clock import SystemClock
from outrider.ports.sandbox import ExecSpec
from outrider.proof.recipe import Recipe
from outrider.proof.runner import ProofEvent, ProofRequest
from tests.integration.conftest import Outside

pytestmark = pytest.mark.sandbox

RECIPE = """\
stacks = ["postgres"]
setup = ["psql -qc 'CREATE TABLE names (name text)'"]
start = ["psql -qc \\"INSERT INTO names VALUES ('ada')\\""]

[[checks]]
name = "names"
command = "test \\"$(psql -Atc 'SELECT name FROM names')\\" = \\"$(cat wanted)\\""
"""


async def in_a_sandbox(outside: Outside, stacks: Sequence[str], *commands: str) -> list[str]:
    """What these commands print with the services of stacks up."""
    lines: list[str] = []
    recipe = Recipe.model_validate({"source": "test", "stacks": tuple(stacks)})
    image = await outside.images.prepare(recipe.wants(), lines.append)
    beside = recipe.beside("Shop.api")
    async with (
        outside.sandboxes.open(CleanSpec("a test", image.layers, image.toolbox), lines.append) as handle,
        outside.sandboxes.connect(handle) as guest,
    ):
        up = await BringUp(guest, beside, {}, SystemClock(), lines.append).all()
        assert up.failures == (), up
        printed = []
        for command in commands:
            spec = ExecSpec(argv=["sh", "-c", command], env=beside.environment)
            printed.append((await guest.run(spec)).output.decode().strip())
    return printed


async def test_postgres_and_redis_answer_by_their_addresses(outside: Outside) -> None:
    printed = await in_a_sandbox(
        outside,
        ["redis", "postgres"],
        'psql "$DATABASE_URL" -Atc "SELECT current_user, current_database()"',
        'psql -U postgres -Atc "CREATE DATABASE another" && echo made',
        'redis-cli -u "$REDIS_URL" set word hello && redis-cli get word',
    )
    assert printed == ["agent|shop_api", "CREATE DATABASE\nmade", "OK\nhello"]


async def test_checks_meet_the_database_that_setup_made(outside: Outside) -> None:
    base = await outside.git.commit({"outrider.toml": RECIPE, "wanted": "ada\n"})
    head = await outside.git.commit({"wanted": "grace\n"}, base)
    told: list[ProofEvent] = []

    async def tell(event: ProofEvent) -> None:
        told.append(event)

    request = ProofRequest(ProofId("proof-aaaaaaaaaa"), SessionId("s-aaaaaaaaaa"), "shop", base, head)
    proof = await outside.prover.prove(request, tell)
    ran = {result.phase: (result.verdict.value, result.tail) for result in proof.results}
    assert proof.verdict is ProofVerdict.RED, proof.model_dump_json(indent=1)
    assert ran == {Phase.BASE: ("passed", ""), Phase.AFTER: ("failed", "")}, proof.model_dump_json(indent=1)
    assert not [event for event in told if event.type == "stage_reported" and event.failed]


@pytest.mark.stacks
async def test_the_desktop_shows_pages_and_answers_on_its_port(outside: Outside) -> None:
    page, version = await in_a_sandbox(
        outside,
        ["desktop"],
        "chromium --headless --dump-dom 'data:text/html,<h1>hello</h1>' 2>/dev/null",
        "bash -c 'exec 3<>/dev/tcp/127.0.0.1/5901; head -c 3 <&3'",
    )
    assert (page, version) == ("<html><head></head><body><h1>hello</h1></body></html>", "RFB")


@pytest.mark.stacks
async def test_the_ide_answers_on_its_port(outside: Outside) -> None:
    (page,) = await in_a_sandbox(outside, ["ide"], "curl -sL -o /dev/null -w '%{http_code}' http://127.0.0.1:4190/")
    assert page == "200"
