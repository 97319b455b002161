"""Setups that need the outside: Debian packages, and a detected Python project. Skipped where no mirror answers."""

import pytest

from outrider.fleet.base_image import BaseImage
from outrider.fleet.images.layers import layer_id
from outrider.model.errors import SandboxError
from outrider.model.ids import ProofId, SessionId
from outrider.model.image import MachineWants
from outrider.model.proof import Phase, ProofVerdict
from outrider.proof.runner import ProofEvent, ProofRequest
from tests.integration.conftest import Outside

pytestmark = pytest.mark.sandbox

SESSION = SessionId("s-aaaaaaaaaa")


async def silent(event: ProofEvent) -> None:
    del event


async def test_debian_packages_come_with_the_image(outside: Outside) -> None:
    base = BaseImage().layer_id()
    await outside.provider.delete_layer(layer_id("packages", base, "hello"))
    check = '[[checks]]\nname = "tests"\ncommand = "hello && test -z \\"$(ls /var/lib/apt/lists)\\""\n'
    commit = await outside.git.commit({"outrider.toml": 'packages = ["hello"]\n' + check, "a": "1"})
    head = await outside.git.commit({"a": "2"}, commit)
    request = ProofRequest(ProofId("proof-aaaaaaaaaa"), SESSION, "demo", commit, head)
    proof = await outside.prover.prove(request, silent)
    assert proof.verdict is ProofVerdict.STILL_GREEN, proof
    assert proof.results[-1].tail == "Hello, world!"
    with pytest.raises(SandboxError, match="Unable to locate package no-such-package-anywhere"):
        await outside.images.prepare(MachineWants(packages=("no-such-package-anywhere",)), lambda _line: None)


async def test_a_python_project_without_a_recipe_is_set_up_and_proved(outside: Outside) -> None:
    pyproject = (
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "adder"\nversion = "1"\n[project.optional-dependencies]\ntest = ["pytest"]\n'
    )
    base = await outside.git.commit({
        "pyproject.toml": pyproject,
        ".gitignore": ".venv/\n",
        "src/adder/__init__.py": "def add(a, b):\n    return a - b\n",
        "tests/test_zero.py": "from adder import add\n\ndef test_zero():\n    assert add(1, 0) == 1\n",
    })  # fmt: skip
    head = await outside.git.commit({
        "src/adder/__init__.py": "def add(a, b):\n    return a + b\n",
        "tests/test_sum.py": "from adder import add\n\ndef test_sum():\n    assert add(2, 2) == 4\n",
    }, base)  # fmt: skip
    request = ProofRequest(ProofId("proof-aaaaaaaaaa"), SESSION, "demo", base, head)
    proof = await outside.prover.prove(request, silent)
    assert proof.verdict is ProofVerdict.FIX_PROVED, proof.model_dump_json(indent=1)
    assert [case.case for case in proof.red_to_green] == ["tests.test_sum::test_sum"]
    assert [result.phase for result in proof.results] == list(Phase)
    assert proof.recipe_source == "pyproject.toml"
