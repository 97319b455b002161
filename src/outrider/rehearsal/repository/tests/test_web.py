"""The way of an order."""

import io
import json
from wsgiref.util import setup_testing_defaults

import pytest

from bakery.web import Shop


class Visitor:
    """Somebody with a browser that keeps cookies."""

    def __init__(self, shop):
        self.shop = shop
        self.cookie = ""
        self.status = ""

    def get(self, path):
        return self.visit("GET", path, b"")

    def post(self, path, form):
        return self.visit("POST", path, form.encode())

    def visit(self, method, path, body):
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "HTTP_COOKIE": self.cookie,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        setup_testing_defaults(environ)
        return b"".join(self.shop(environ, self.started)).decode()

    def started(self, status, headers):
        self.status = status
        self.cookie = dict(headers).get("Set-Cookie", self.cookie)


@pytest.fixture
def book(tmp_path):
    return tmp_path / "orders.jsonl"


@pytest.fixture
def visitor(book):
    return Visitor(Shop(book))


def test_the_shop_is_open(visitor):
    assert "Kettle" in visitor.get("/")
    assert visitor.status == "200 OK"


def test_a_basket_is_kept_between_pages(visitor):
    visitor.post("/basket", "add=rye")
    visitor.post("/basket", "add=rye")
    assert "2 × Rye loaf" in visitor.get("/")


def test_a_basket_can_be_emptied(visitor):
    visitor.post("/basket", "add=rye")
    visitor.post("/basket", "empty=1")
    assert "Still empty." in visitor.get("/")


def test_an_order_is_written_into_the_book(visitor, book):
    visitor.post("/basket", "add=coffee")
    assert "Thank you, Ida!" in visitor.post("/order", "name=Ida")
    assert json.loads(book.read_text()) == {"name": "Ida", "lines": {"coffee": 1}, "total": 13.7}
    assert "Still empty." in visitor.get("/")


def test_an_empty_basket_cannot_be_ordered(visitor, book):
    visitor.post("/order", "name=Ida")
    assert visitor.status == "404 Not Found"
    assert not book.exists()


def test_a_strange_cookie_is_an_empty_basket(visitor):
    visitor.cookie = "basket=rye.many_coffee"
    assert "Still empty." in visitor.get("/")


def test_an_unknown_address_is_said(visitor):
    assert "Not here" in visitor.get("/cake-recipes")
    assert visitor.status == "404 Not Found"
