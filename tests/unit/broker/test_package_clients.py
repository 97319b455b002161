"""The machine's own settings, and that no secret of theirs goes on."""

from pathlib import Path

import pytest

from outrider.broker.apt_sources import AptSource, read_apt_sources
from outrider.broker.network import HostNetwork
from outrider.broker.package_clients import (
    GUEST_APT_CONF,
    GUEST_APT_SOURCES,
    GUEST_CA,
    ClientFiles,
    PackageClients,
)
from outrider.model.egress import AllowedHost

CANARY = "s3cr3t-canary"
CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
KEY = b"-----BEGIN PRIVATE KEY-----\n" + CANARY.encode() + b"\n-----END PRIVATE KEY-----"


@pytest.fixture
def files(tmp_path: Path) -> ClientFiles:
    """A machine with a private index, a private npm registry, a Debian mirror and a CA of its own."""
    (tmp_path / "pip.conf").write_text(
        f"[global]\nindex-url = https://bot:{CANARY}@pypi.corp.example/simple\n"
        "extra-index-url =\n    https://extra.corp.example:8443/simple\n    file:///opt/local\n"
    )
    (tmp_path / "npmrc").write_text(
        f"//npm.corp.example/:_authToken={CANARY}\nregistry = https://npm.corp.example/\nfund=false\n"
    )
    (tmp_path / "debian.sources").write_text(
        "Types: deb deb-src\n# a remark\nURIs: http://mirror.corp.example/debian\nSuites: bookworm bookworm-updates\n"
        " bookworm-backports\nComponents: main\n\nTypes: deb\nURIs: https://download.vendor.example/\n"
        "Suites: bookworm\nComponents: stable\n\nEnabled: no\nTypes: deb\n"
        "URIs: http://off.example/\nSuites: bookworm\nComponents: main\n"
    )
    (tmp_path / "ca.pem").write_bytes(CERTIFICATE + b"\n" + KEY + b"\n" + CERTIFICATE)
    return ClientFiles(
        (tmp_path / "pip.conf",), (tmp_path / "npmrc",), (tmp_path / "debian.sources",), tmp_path / "ca.pem"
    )


def test_a_plain_machine_has_no_registries_of_its_own() -> None:
    clients = PackageClients.read({}, ClientFiles())
    assert clients.hosts() == ()
    environment = clients.guest_environment()
    assert environment["HTTPS_PROXY"] == environment["http_proxy"] == "http://127.0.0.1:4181"
    assert "SSL_CERT_FILE" not in environment
    assert list(clients.guest_files()) == [GUEST_APT_CONF]


def test_the_machines_own_registries_are_taken_over(files: ClientFiles) -> None:
    clients = PackageClients.read({"UV_INDEX_URL": "https://uv.corp.example/simple"}, files)
    found = set(clients.hosts())
    assert {
        AllowedHost("pypi.corp.example", None, True),
        AllowedHost("extra.corp.example", 8443, True),
        AllowedHost("npm.corp.example", None, True),
        AllowedHost("uv.corp.example", None, True),
        AllowedHost("mirror.corp.example", None, True),
    } <= found
    assert not any("vendor" in entry.host or "off" in entry.host for entry in found)
    environment = clients.guest_environment()
    assert environment["PIP_INDEX_URL"] == "https://pypi.corp.example/simple"
    assert environment["PIP_EXTRA_INDEX_URL"] == "https://extra.corp.example:8443/simple"
    assert environment["npm_config_registry"] == "https://npm.corp.example/"
    assert environment["UV_INDEX_URL"] == "https://uv.corp.example/simple"


def test_a_variable_wins_over_a_file(files: ClientFiles) -> None:
    clients = PackageClients.read({"PIP_INDEX_URL": "https://other.example/simple"}, files)
    assert clients.guest_environment()["PIP_INDEX_URL"] == "https://other.example/simple"


def test_no_secret_of_the_machine_reaches_a_guest(files: ClientFiles) -> None:
    given = {
        "HTTPS_PROXY": f"http://me:{CANARY}@proxy.corp.example:3128",
        "UV_DEFAULT_INDEX": f"https://u:{CANARY}@uv.example/simple",
    }
    clients = PackageClients.read(given, files)
    assert CANARY not in str(clients.guest_environment())
    assert CANARY.encode() not in b"".join(clients.guest_files().values())
    assert CANARY not in str(clients.hosts())
    assert CANARY not in repr(clients.network.https_proxy)


def test_apt_in_the_guest(files: ClientFiles) -> None:
    given = PackageClients.read({}, files).guest_files("bookworm")
    assert given[GUEST_APT_SOURCES].decode().splitlines() == [
        "deb http://mirror.corp.example/debian bookworm main",
        "deb http://mirror.corp.example/debian bookworm-updates main",
        "deb http://mirror.corp.example/debian bookworm-backports main",
    ]
    assert b'Acquire::http::Proxy "http://127.0.0.1:4181";' in given[GUEST_APT_CONF]
    assert GUEST_APT_SOURCES not in PackageClients.read({}, files).guest_files("trixie")


def test_only_certificates_are_taken_of_a_bundle(files: ClientFiles) -> None:
    clients = PackageClients.read({}, files)
    assert clients.guest_files()[GUEST_CA] == CERTIFICATE + b"\n" + CERTIFICATE + b"\n"
    assert clients.guest_environment()["NODE_EXTRA_CA_CERTS"] == GUEST_CA


def test_a_bundle_named_by_a_variable_wins(files: ClientFiles, tmp_path: Path) -> None:
    named = tmp_path / "named.pem"
    named.write_bytes(CERTIFICATE)
    clients = PackageClients.read({"SSL_CERT_FILE": str(named), "PIP_CERT": "/nowhere"}, files)
    assert clients.network.ca_file == named
    assert clients.guest_files()[GUEST_CA] == CERTIFICATE + b"\n"


def test_broken_settings_count_as_missing(tmp_path: Path) -> None:
    for name in ("pip.conf", "npmrc", "x.list"):
        (tmp_path / name).write_bytes(b"\xff[[[\n=\nregistry=http://[broken\n")
    files = ClientFiles((tmp_path / "pip.conf",), (tmp_path / "npmrc",), (tmp_path / "x.list",), tmp_path / "none.pem")
    assert PackageClients.read({}, files).hosts() == ()


def test_one_line_apt_sources() -> None:
    text = (
        "# deb http://no.example x main\n"
        "deb [arch=amd64 signed-by=/k] http://u:p@a.example/debian bookworm main contrib # x\n"
        "deb-src http://a.example/debian bookworm main\ndeb cdrom:[x]/ bookworm main\n"
    )
    assert read_apt_sources(".list", text) == [AptSource("http://a.example/debian", ("bookworm",), ("main", "contrib"))]


def test_the_machines_proxy_and_its_exceptions() -> None:
    network = HostNetwork.read(
        {
            "HTTPS_PROXY": "http://me:p%40ss@proxy.example:3128",
            "http_proxy": "plain.example",
            "NO_PROXY": "localhost, .corp.example,exact.example:443",
        }
    )
    through = network.proxy_for("https", "pypi.org")
    assert through is not None
    assert (through.url, through.authorization) == ("http://proxy.example:3128", "Basic bWU6cEBzcw==")
    plain = network.proxy_for("http", "deb.debian.org")
    assert plain is not None
    assert (plain.host, plain.port) == ("plain.example", 80)
    for host in ("localhost", "a.corp.example", "corp.example", "exact.example"):
        assert network.proxy_for("https", host) is None
    assert network.proxy_for("https", "notcorp.example") is not None
    assert HostNetwork.read({"ALL_PROXY": "http://p", "NO_PROXY": "*"}).proxy_for("https", "x.example") is None


def test_the_usual_places(tmp_path: Path) -> None:
    (tmp_path / "apt/sources.list.d").mkdir(parents=True)
    (tmp_path / "apt/sources.list.d/debian.sources").write_text("")
    usual = ClientFiles.usual(tmp_path / "home", tmp_path)
    assert tmp_path / "apt/sources.list.d/debian.sources" in usual.apt
    assert tmp_path / "home/.npmrc" in usual.npm


def test_gos_own_proxies_are_taken_over_and_its_ways_round_them_are_not() -> None:
    given = {"GOPROXY": f"https://u:{CANARY}@go.corp.example/cache|https://go2.corp.example,direct"}
    clients = PackageClients.read(given, ClientFiles())
    assert clients.guest_environment()["GOPROXY"] == "https://go.corp.example/cache,https://go2.corp.example"
    assert [entry.host for entry in clients.hosts()] == ["go.corp.example", "go2.corp.example"]
