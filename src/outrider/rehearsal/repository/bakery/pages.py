"""The pages as HTML. Everything that a person typed is escaped."""

from html import escape

from bakery.basket import FREE_DELIVERY_FROM, Basket
from bakery.catalogue import PRODUCTS, Product

_FRAME = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Kettle &amp; Crumb</title>
<link rel="stylesheet" href="/static/style.css">
<header><a href="/">Kettle &amp; Crumb</a><p>Bread, and what goes with it</p></header>
<main>
{body}
</main>
<footer>Open Tuesday to Saturday, 7 to 18 · Free delivery from {free} on</footer>
</html>
"""


def euros(amount: float) -> str:
    """An amount as people write it: 4.50 €."""
    return f"{amount:.2f} €"


def shop_page(basket: Basket) -> str:
    """Everything we sell, and the basket beside it."""
    products = "\n".join(_product(product) for product in PRODUCTS)
    return _frame("Shop", f'<section class="shelf">\n{products}\n</section>\n{_basket(basket)}')


def thanks_page(basket: Basket, name: str) -> str:
    """After the order."""
    body = f"<h1>Thank you, {escape(name)}!</h1>\n<p>Your order over {euros(basket.total)} is in the book.</p>"
    return _frame("Thank you", body)


def missing_page() -> str:
    """For an address that leads nowhere."""
    return _frame("Not here", '<h1>Not here</h1>\n<p>There is nothing at this address. <a href="/">To the shop</a></p>')


def _frame(title: str, body: str) -> str:
    return _FRAME.format(title=escape(title), body=body, free=euros(FREE_DELIVERY_FROM))


def _product(product: Product) -> str:
    return f"""<form class="product" method="post" action="/basket">
<h2>{escape(product.name)}</h2>
<p>{escape(product.note)}</p>
<span class="price">{euros(product.price)}</span>
<button name="add" value="{product.slug}">Add</button>
</form>"""


def _basket(basket: Basket) -> str:
    if not basket.lines:
        return '<aside class="basket"><h2>Basket</h2><p>Still empty.</p></aside>'
    lines = "\n".join(
        f"<tr><td>{line.quantity} × {escape(line.product.name)}</td><td>{euros(line.price)}</td></tr>"
        for line in basket.lines
    )
    return f"""<aside class="basket">
<h2>Basket</h2>
<table>
{lines}
<tr class="sum"><td>Subtotal</td><td>{euros(basket.subtotal)}</td></tr>
<tr><td>Delivery</td><td>{euros(basket.delivery) if basket.delivery else "free"}</td></tr>
<tr class="sum"><td>Total</td><td>{euros(basket.total)}</td></tr>
</table>
<form method="post" action="/order">
<label>Your name <input name="name" required maxlength="80"></label>
<button>Order</button>
</form>
<form method="post" action="/basket"><button name="empty" value="1" class="quiet">Empty the basket</button></form>
</aside>"""
