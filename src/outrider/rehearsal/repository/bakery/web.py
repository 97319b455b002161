"""The WSGI app: routes, the basket in a cookie, and the book of orders."""

import json
from collections.abc import Callable, Iterable, Mapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from bakery.basket import Basket
from bakery.pages import missing_page, shop_page, thanks_page

FORM_LIMIT = 4096
STATIC = Path(__file__).parent / "static"

Headers = list[tuple[str, str]]
Answer = tuple[str, Headers, bytes]


class Shop:
    """The order page. Orders are appended to `book`, one JSON object a line."""

    def __init__(self, book: Path) -> None:
        self._book = book

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[[str, Headers], Any]) -> Iterable[bytes]:
        status, headers, body = self._answer(environ)
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]

    def _answer(self, environ: Mapping[str, Any]) -> Answer:
        quantities = _quantities(environ.get("HTTP_COOKIE", ""))
        match environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/"):
            case "GET", "/":
                return _page(shop_page(Basket.of(quantities)))
            case "GET", "/static/style.css":
                return "200 OK", [("Content-Type", "text/css; charset=utf-8")], (STATIC / "style.css").read_bytes()
            case "POST", "/basket":
                return _back_to_shop(_changed(quantities, _form(environ)))
            case "POST", "/order" if Basket.of(quantities).lines:
                return self._order(Basket.of(quantities), _form(environ).get("name", "friend")[:80])
            case _:
                return _page(missing_page(), "404 Not Found")

    def _order(self, basket: Basket, name: str) -> Answer:
        order = {
            "name": name,
            "lines": {line.product.slug: line.quantity for line in basket.lines},
            "total": round(basket.total, 2),
        }
        with self._book.open("a", encoding="utf-8") as book:
            book.write(json.dumps(order, ensure_ascii=False) + "\n")
        status, headers, body = _page(thanks_page(basket, name))
        return status, [*headers, _cookie({})], body


def _page(html: str, status: str = "200 OK") -> Answer:
    return status, [("Content-Type", "text/html; charset=utf-8")], html.encode()


def _back_to_shop(quantities: Mapping[str, int]) -> Answer:
    return "303 See Other", [("Location", "/"), _cookie(quantities)], b""


def _changed(quantities: dict[str, int], form: Mapping[str, str]) -> dict[str, int]:
    if "empty" in form:
        return {}
    slug = form.get("add", "")
    return quantities | {slug: quantities.get(slug, 0) + 1}


def _form(environ: Mapping[str, Any]) -> dict[str, str]:
    length = min(int(environ.get("CONTENT_LENGTH") or 0), FORM_LIMIT)
    fields = parse_qs(environ["wsgi.input"].read(length).decode(errors="replace"))
    return {name: values[0] for name, values in fields.items()}


def _quantities(header: str) -> dict[str, int]:
    """The basket from the cookie `slug.quantity_slug.quantity`. What cannot be read is left out."""
    try:
        cookie = SimpleCookie(header).get("basket")
    except CookieError:
        return {}
    pairs = (part.rpartition(".") for part in cookie.value.split("_")) if cookie else ()
    return {slug: int(quantity) for slug, _, quantity in pairs if quantity.isdecimal()}


def _cookie(quantities: Mapping[str, int]) -> tuple[str, str]:
    value = "_".join(f"{slug}.{quantity}" for slug, quantity in quantities.items())
    return "Set-Cookie", f"basket={value}; Path=/; SameSite=Lax; HttpOnly"
