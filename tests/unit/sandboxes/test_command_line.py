"""The shell line that starts a command in a guest."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.model.errors import SandboxError
from outrider.ports.sandbox import ExecSpec
from outrider.sandboxes.guest import command_line

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


@given(st.lists(WORDS, max_size=4), WORDS)
def test_every_word_arrives_as_it_is(words: list[str], value: str) -> None:
    spec = ExecSpec(
        argv=["sh", "-c", 'printf "%s\\0" "$PWD" "$VALUE" "$@"', "-", *words], cwd="/", env={"VALUE": value}
    )
    done = subprocess.run(["sh", "-c", command_line(spec)], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == ["/", value, *words]


@pytest.mark.parametrize("argv", [[], ["NAME=value"]])
def test_what_is_no_program_is_refused(argv: list[str]) -> None:
    with pytest.raises(SandboxError):
        command_line(ExecSpec(argv=argv))
