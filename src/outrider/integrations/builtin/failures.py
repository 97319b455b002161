"""What git said, as a sentence for people and what to do about it."""

import re
from dataclasses import dataclass

from outrider.integrations.builtin.git import GitFailed
from outrider.model.errors import RepositoryError


@dataclass(frozen=True, slots=True)
class _Known:
    pattern: re.Pattern[str]
    sentence: str
    remedy: str


def _known(pattern: str, sentence: str, remedy: str) -> _Known:
    return _Known(re.compile(pattern, re.IGNORECASE), sentence, remedy)


_CHECK_ADDRESS = "Check the address."
_KNOWN = (
    _known("could not resolve host", "The host of {address} is not known.", "Check the address and the network."),
    _known(
        "connection refused|connection timed out|couldn't connect|network is unreachable|failed to connect",
        "The host of {address} does not answer.",
        "Check the address and the network.",
    ),
    _known(
        "could not read username|could not read password|authentication failed|permission denied|terminal prompts"
        "|host key verification|invalid credentials|error: 40[13]",
        "{address} may not be read without a login, or does not exist.",
        "Give the user who runs the server access to it: a credential helper, or an ssh key whose host is known.",
    ),
    _known("not found|does not exist|no such file", "There is no repository at {address}.", _CHECK_ADDRESS),
    _known("not appear to be a git repository", "{address} is not a git repository.", _CHECK_ADDRESS),
    _known("mismatched algorithms|object format", "{address} uses SHA-256, which is not supported.", ""),
    _known("no space left", "The disk is full: {address} could not be read in.", "Free some space."),
)


def explain_fetch(address: str, failed: GitFailed) -> RepositoryError:
    """Why a source could not be read."""
    for known in _KNOWN:
        if known.pattern.search(failed.said):
            return RepositoryError(known.sentence.format(address=address), known.remedy)
    return RepositoryError(f"{address} cannot be read: {failed.reason()}.", _CHECK_ADDRESS)
