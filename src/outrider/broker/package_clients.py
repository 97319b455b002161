"""What this machine's own package clients are set up with, so that a guest can use the same mirrors, proxy and CAs.

Files and environment are given as values. No credential of them reaches a guest: user and password are cut out of every
address, tokens in .npmrc are not read, and of a CA bundle only the certificates are taken.
"""

import re
from collections.abc import Iterable, Mapping
from configparser import Error as IniError
from configparser import RawConfigParser
from dataclasses import dataclass, field
from pathlib import Path

from outrider.broker.apt_sources import AptSource, read_apt_sources
from outrider.broker.network import HostNetwork, split_url, without_credentials
from outrider.model.egress import AllowedHost
from outrider.model.errors import BadRequest
from outrider.model.sandbox import EGRESS_PORT

GUEST_CA = "/etc/ssl/certs/outrider-ca.crt"
GUEST_APT_CONF = "/etc/apt/apt.conf.d/90outrider"
GUEST_APT_SOURCES = "/etc/apt/sources.list"
FILE_LIMIT = 4 << 20
"""Bytes of a settings file or CA bundle that are read; Debian's bundle has 220 kB."""

_CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE")
_GUEST_CA_VARIABLES = (*_CA_VARIABLES, "GIT_SSL_CAINFO", "CARGO_HTTP_CAINFO")
_INDEXES = {
    "PIP_INDEX_URL": ("PIP_INDEX_URL", "index-url"),
    "PIP_EXTRA_INDEX_URL": ("PIP_EXTRA_INDEX_URL", "extra-index-url"),
    "UV_DEFAULT_INDEX": ("UV_DEFAULT_INDEX", None),
    "UV_INDEX_URL": ("UV_INDEX_URL", None),
    "UV_EXTRA_INDEX_URL": ("UV_EXTRA_INDEX_URL", None),
    "npm_config_registry": ("npm_config_registry", None),
}
_CERTIFICATE = re.compile(
    rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----[A-Za-z0-9+/=\s]{1,65536}?-----END (?:TRUSTED )?CERTIFICATE-----"
)


@dataclass(frozen=True, slots=True)
class ClientFiles:
    """Where this machine keeps the settings of its package clients. Earlier files win; what is missing is skipped."""

    pip: tuple[Path, ...] = ()
    npm: tuple[Path, ...] = ()
    apt: tuple[Path, ...] = ()
    ca_bundle: Path | None = None
    """The system's own bundle, used where no variable names another."""

    @classmethod
    def usual(cls, home: Path, etc: Path = Path("/etc")) -> "ClientFiles":
        """The places on Debian and Ubuntu."""
        apt = etc / "apt"
        return cls(
            pip=(home / ".config/pip/pip.conf", home / ".pip/pip.conf", etc / "pip.conf"),
            npm=(home / ".npmrc", etc / "npmrc"),
            apt=(
                apt / "sources.list",
                *sorted((apt / "sources.list.d").glob("*.list")),
                *sorted((apt / "sources.list.d").glob("*.sources")),
            ),
            ca_bundle=etc / "ssl/certs/ca-certificates.crt",
        )


@dataclass(frozen=True, slots=True)
class PackageClients:
    """What was found. Build it with `read`."""

    network: HostNetwork
    """For our own connections; may hold the proxy's password."""
    indexes: Mapping[str, str] = field(default_factory=dict)
    apt: tuple[AptSource, ...] = ()
    authorities: bytes = b""

    @classmethod
    def read(cls, environment: Mapping[str, str], files: ClientFiles) -> "PackageClients":
        """Read the settings. Small files, read at once: call it in a thread. Unreadable ones count as missing."""
        bundle = _bundle(environment, files)
        return cls(
            network=HostNetwork.read(environment, bundle),
            indexes=_indexes(environment, files),
            apt=tuple(source for path in files.apt for source in read_apt_sources(path.suffix, _text(path))),
            authorities=b"\n".join([*_CERTIFICATE.findall(_content(bundle)), b""]),
        )

    def hosts(self) -> tuple[AllowedHost, ...]:
        """The registries that this machine's own package clients are set up with."""
        addresses = [url for value in self.indexes.values() for url in value.replace(",", " ").split()]
        addresses += [source.uri for source in self.apt]
        return tuple(dict.fromkeys(_allowed(addresses)))

    def guest_environment(self) -> dict[str, str]:
        """For setup commands and package clients in a guest with egress."""
        proxy = f"http://127.0.0.1:{EGRESS_PORT}"
        nearby = "localhost,127.0.0.1,::1"
        proxies = {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "NO_PROXY": nearby}
        lower = {name.lower(): value for name, value in proxies.items()}
        trust = dict.fromkeys(_GUEST_CA_VARIABLES, GUEST_CA) if self.authorities.strip() else {}
        return {**proxies, **lower, **trust, **self.indexes}

    def guest_files(self, suite: str = "bookworm") -> dict[str, bytes]:
        """For the guest's package clients, by absolute path. apt's sources are this machine's where it has `suite`."""
        conf = [f'Acquire::{scheme}::Proxy "http://127.0.0.1:{EGRESS_PORT}";' for scheme in ("http", "https")]
        conf.append('Acquire::http::Pipeline-Depth "0";')
        files: dict[str, bytes] = {}
        if self.authorities.strip():
            files[GUEST_CA] = self.authorities
            conf.append(f'Acquire::https::CaInfo "{GUEST_CA}";')
        sources = dict.fromkeys(line for source in self.apt for line in source.lines(suite))
        if any(f" {suite} " in line for line in sources):
            files[GUEST_APT_SOURCES] = "".join(f"{line}\n" for line in sources).encode()
        return {**files, GUEST_APT_CONF: "".join(f"{line}\n" for line in conf).encode()}


def _bundle(environment: Mapping[str, str], files: ClientFiles) -> Path | None:
    named = [Path(environment[name]) for name in _CA_VARIABLES if environment.get(name)]
    candidates = [*named, files.ca_bundle] if files.ca_bundle else named
    return next((path for path in candidates if path.is_file()), None)


def _indexes(environment: Mapping[str, str], files: ClientFiles) -> dict[str, str]:
    """The index settings by the variable that a guest gets. A variable wins over a file, as in the clients."""
    pip, npm = _pip_settings(files.pip), _npm_registry(files.npm)
    found: dict[str, str] = {}
    for name, (variable, option) in _INDEXES.items():
        value = environment.get(variable) or (pip.get(option, "") if option else "")
        if name == "npm_config_registry":
            value = value or environment.get("NPM_CONFIG_REGISTRY") or npm
        if urls := " ".join(_web_addresses(value)):
            found[name] = urls
    if go := ",".join(_web_addresses(environment.get("GOPROXY", "").replace(",", " ").replace("|", " "))):
        found["GOPROXY"] = go
    return found


def _web_addresses(value: str) -> list[str]:
    """The http(s) addresses among the words of a setting, without credentials. A guest has no use for a file: one."""
    clean = (without_credentials(word) for word in value.split())
    return [url for url in clean if url.startswith(("http://", "https://"))]


def _pip_settings(paths: Iterable[Path]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in paths:
        parser = RawConfigParser(strict=False)
        try:
            parser.read_string(_text(path))
        except IniError:
            continue
        for section in ("install", "global"):
            for option, value in parser.items(section) if parser.has_section(section) else ():
                found.setdefault(option.replace("_", "-"), value)
    return found


def _npm_registry(paths: Iterable[Path]) -> str:
    for path in paths:
        for line in _text(path).splitlines():
            name, _, value = line.partition("=")
            if name.strip() == "registry":
                return value.strip().strip("\"'")
    return ""


def _allowed(addresses: Iterable[str]) -> list[AllowedHost]:
    found = []
    for address in addresses:
        parts = split_url(address)
        if parts is None or not parts.hostname:
            continue
        name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        try:
            found.append(AllowedHost.parse(f"{name}:{parts.port}" if parts.port else name, operator=True))
        except BadRequest:
            continue
    return found


def _content(path: Path | None) -> bytes:
    try:
        return path.read_bytes()[:FILE_LIMIT] if path else b""
    except OSError:
        return b""


def _text(path: Path) -> str:
    return _content(path).decode("utf-8", "replace")
