"""apt's lists of sources, in both of its formats, as far as they name Debian's own archive."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from outrider.broker.network import without_credentials

_DEBIAN_COMPONENTS = frozenset({"main", "contrib", "non-free", "non-free-firmware"})
_ONE_LINE = re.compile(r"deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(\S.*)")


@dataclass(frozen=True, slots=True)
class AptSource:
    """One address with its suites. Only sources whose components are Debian's: a vendor's need a key of their own."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]

    def lines(self, suite: str) -> list[str]:
        """The one-line form of what belongs to a release: `bookworm`, `bookworm-updates` and so on."""
        ours = [name for name in self.suites if name == suite or name.startswith(f"{suite}-")]
        return [f"deb {self.uri} {name} {' '.join(self.components)}" for name in ours]


def read_apt_sources(suffix: str, text: str) -> list[AptSource]:
    """The sources in a file: `.sources` is the newer format, anything else has one source a line."""
    found = _stanzas(text) if suffix == ".sources" else _one_line(text)
    return [source for source in found if _is_debian(source)]


def _is_debian(source: AptSource) -> bool:
    return source.uri.startswith(("http://", "https://")) and set(source.components) <= _DEBIAN_COMPONENTS


def _one_line(text: str) -> Iterator[AptSource]:
    for line in text.splitlines():
        if match := _ONE_LINE.fullmatch(line.partition("#")[0].strip()):
            yield AptSource(without_credentials(match[1]), (match[2],), tuple(match[3].split()))


def _stanzas(text: str) -> Iterator[AptSource]:
    for stanza in re.split(r"\n\s*\n", text):
        fields = _fields(stanza)
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in ("no", "false"):
            continue
        for uri in fields.get("uris", "").split():
            suites, components = fields.get("suites", "").split(), fields.get("components", "").split()
            yield AptSource(without_credentials(uri), tuple(suites), tuple(components))


def _fields(stanza: str) -> dict[str, str]:
    """Fields by lower-case name; a line that starts with space goes on with the one before."""
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line[0].isspace():
            fields[name] = f"{fields.get(name, '')} {line.strip()}"
        else:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields
