"""The head of a proxy request, read strictly: what is ambiguous is refused, nothing is guessed."""

import re
from dataclasses import dataclass

from outrider.broker.network import split_url
from outrider.model.egress import Target, parse_authority
from outrider.model.errors import BadRequest

HEAD_LIMIT = 16 << 10
"""Bytes of a request head, as many as common servers take."""
HEADER_COUNT = 100

_REQUEST_LINE = re.compile(rb"([A-Z]{3,10}) ([\x21-\x7e]{1,8192}) HTTP/1\.[01]")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*")
_PASSED_HEADERS = frozenset(
    b"accept accept-encoding accept-language cache-control if-match if-modified-since if-none-match if-range "
    b"if-unmodified-since pragma range user-agent".split()
)


@dataclass(frozen=True, slots=True)
class ProxyRequest:
    """A request that the proxy understands. `path` is None for a tunnel (CONNECT)."""

    target: Target
    method: str
    path: str | None
    headers: tuple[tuple[bytes, bytes], ...]

    def head(self, *, absolute: bool = False, proxy_authorization: str | None = None) -> bytes:
        """The head to send on for a plain request: one request a connection, and only headers that we know."""
        host = self.target.host if self.target.port == 80 else str(self.target)
        where = f"http://{host}{self.path}" if absolute else self.path
        lines = [f"{self.method} {where} HTTP/1.1".encode(), b"Host: " + host.encode(), b"Connection: close"]
        if proxy_authorization:
            lines.append(b"Proxy-Authorization: " + proxy_authorization.encode())
        lines += [name + b": " + value for name, value in self.headers]
        return b"\r\n".join(lines) + b"\r\n\r\n"


def parse_head(head: bytes) -> ProxyRequest:
    """A head with its empty line. Raises BadRequest."""
    first, *rest = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    line = _REQUEST_LINE.fullmatch(first)
    if line is None:
        raise BadRequest("This is a proxy for HTTP/1.1; the request line is not of that form.")
    method, where = line[1].decode(), line[2].decode()
    headers = _headers(rest)
    _refuse_body(headers)
    if method == "CONNECT":
        return ProxyRequest(parse_authority(where, None), method, None, ())
    if method not in ("GET", "HEAD"):
        raise BadRequest(f"Over plain http:// only GET and HEAD pass, not {method}.")
    target, path = _absolute(where)
    return ProxyRequest(target, method, path, tuple(pair for pair in headers if pair[0] in _PASSED_HEADERS))


def _absolute(where: str) -> tuple[Target, str]:
    parts = split_url(where) if where.lower().startswith("http://") else None
    if parts is None or "\\" in where:
        raise BadRequest("A proxy is asked with an absolute http:// address, or with CONNECT for https.")
    path = parts.path or "/"
    return parse_authority(parts.netloc, 80), f"{path}?{parts.query}" if parts.query else path


def _headers(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    if len(lines) > HEADER_COUNT:
        raise BadRequest(f"The request has more than {HEADER_COUNT} headers.")
    matches = [_HEADER.fullmatch(line) for line in lines]
    if not all(matches):
        raise BadRequest("A header of the request is malformed.")
    return [(match[1].lower(), match[2]) for match in matches if match]


def _refuse_body(headers: list[tuple[bytes, bytes]]) -> None:
    for name, value in headers:
        if name == b"transfer-encoding" or (name == b"content-length" and value != b"0"):
            raise BadRequest("A request through this proxy has no body.")
