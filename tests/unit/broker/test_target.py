"""Heads of proxy requests: what is clear passes, what has two readings is refused."""

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as some

from outrider.broker.egress.target import HEADER_COUNT, parse_head
from outrider.model.egress import Target, parse_authority
from outrider.model.errors import BadRequest


def test_a_tunnel() -> None:
    request = parse_head(b"CONNECT PyPI.org:443 HTTP/1.1\r\nHost: pypi.org:443\r\nUser-Agent: pip\r\n\r\n")
    assert request.target == Target("pypi.org", 443)
    assert request.path is None


def test_a_plain_request_is_written_anew() -> None:
    request = parse_head(
        b"GET http://deb.debian.org/debian/dists/x?y=1 HTTP/1.1\r\nHost: elsewhere.example\r\nRange: bytes=0-1\r\n"
        b"Proxy-Authorization: Basic eA==\r\nCookie: a=b\r\nConnection: keep-alive, Range\r\n\r\n"
    )
    assert request.head() == (
        b"GET /debian/dists/x?y=1 HTTP/1.1\r\nHost: deb.debian.org\r\nConnection: close\r\nrange: bytes=0-1\r\n\r\n"
    )


def test_through_the_operators_proxy_the_address_is_absolute() -> None:
    request = parse_head(b"HEAD http://mirror.example:8080 HTTP/1.0\r\n\r\n")
    assert request.head(absolute=True, proxy_authorization="Basic eA==") == (
        b"HEAD http://mirror.example:8080/ HTTP/1.1\r\nHost: mirror.example:8080\r\nConnection: close\r\n"
        b"Proxy-Authorization: Basic eA==\r\n\r\n"
    )


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1",
        b"GET https://pypi.org/ HTTP/1.1",
        b"GET ftp://pypi.org/ HTTP/1.1",
        b"GET http://user:word@pypi.org/ HTTP/1.1",
        b"GET http://pypi.org\\@evil.example/ HTTP/1.1",
        b"POST http://pypi.org/ HTTP/1.1",
        b"connect pypi.org:443 HTTP/1.1",
        b"CONNECT pypi.org HTTP/1.1",
        b"CONNECT pypi.org:0 HTTP/1.1",
        b"CONNECT pypi.org:65536 HTTP/1.1",
        b"CONNECT pypi.org:443:80 HTTP/1.1",
        b"CONNECT  pypi.org:443 HTTP/1.1",
        b"CONNECT pypi.org:443 HTTP/2",
        b"CONNECT pypi.org:443 HTTP/1.1\nX: y",
        b"CONNECT pypi.org:443 HTTP/1.1\r\nX : y",
        b"CONNECT pypi.org:443 HTTP/1.1\r\n folded: y",
        b"CONNECT pypi.org:443 HTTP/1.1\r\nX: a\nGET: b",
        b"CONNECT pypi.org:443 HTTP/1.1\r\nX: a\x00b",
        b"CONNECT pypi.org:443 HTTP/1.1\r\nContent-Length: 5",
        b"GET http://pypi.org/ HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 5",
        b"GET http://pypi.org/ HTTP/1.1\r\nTransfer-Encoding: chunked",
        b"CONNECT pypi.org:443 HTTP/1.1" + b"\r\nX: y" * (HEADER_COUNT + 1),
        b"CONNECT p\xc3\xbdpi.org:443 HTTP/1.1",
        b"",
    ],
)
def test_ambiguous_heads_are_refused(head: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_head(head + b"\r\n\r\n")


@pytest.mark.parametrize(
    "text", ["127.1:443", "0x7f.1:443", "2130706433:443", "0177.0.0.1:443", "1.2.3.4.5:80", "-a.b:80", "a..b:80"]
)
def test_hosts_that_resolvers_read_differently_are_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        parse_authority(text, None)


@pytest.mark.parametrize(
    ("text", "host"),
    [("[::1]:443", "::1"), ("10.0.0.1:443", "10.0.0.1"), ("Example.COM.:443", "example.com"), ("a-b.c1:443", "a-b.c1")],
)
def test_hosts_that_are_clear(text: str, host: str) -> None:
    assert parse_authority(text, None) == Target(host, 443)


_PARTS = some.sampled_from(
    [
        b"GET",
        b"CONNECT",
        b" ",
        b"http://",
        b"a.example",
        b":80",
        b"[::1]",
        b"/x",
        b"@",
        b"\\",
        b"?",
        b"#",
        b" HTTP/1.1",
        b"\r\n",
        b"\n",
        b"\r",
        b"Host: b",
        b"Range: c",
        b"\t",
        b"%0d%0a",
        b"\x00",
        b"\xff",
        b"Content-Length: 1",
        b"..",
        b"//",
    ]
)


@given(some.lists(_PARTS | some.binary(max_size=3), max_size=14).map(b"".join))
def test_whatever_comes_is_refused_or_has_one_reading(head: bytes) -> None:
    """What passes is written anew so that another parser reads the same request, and only that one."""
    try:
        request = parse_head(head + b"\r\n\r\n")
    except BadRequest:
        return
    if request.path is None:
        return
    server = h11.Connection(h11.SERVER)
    server.receive_data(request.head())
    read = server.next_event()
    assert isinstance(read, h11.Request)
    assert read.target.decode() == request.path
    assert dict(read.headers)[b"host"].decode() in (request.target.host, str(request.target))
    assert isinstance(server.next_event(), h11.EndOfMessage)
    assert server.trailing_data[0] == b""
