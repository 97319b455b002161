"""What people see."""

from bakery.basket import Basket
from bakery.pages import euros, shop_page, thanks_page


def test_amounts_have_two_digits():
    assert (euros(4.5), euros(0.1 + 0.2)) == ("4.50 €", "0.30 €")


def test_the_shop_shows_what_we_sell():
    page = shop_page(Basket())
    assert "Sourdough loaf" in page
    assert "Still empty." in page


def test_the_basket_shows_delivery_and_total():
    page = shop_page(Basket.of({"rye": 1}))
    assert "<td>4.50 €</td>" in page
    assert "<td>9.30 €</td>" in page


def test_free_delivery_is_said_in_words():
    assert "<td>free</td>" in shop_page(Basket.of({"coffee": 4}))


def test_a_name_is_escaped():
    assert "&lt;b&gt;Ida" in thanks_page(Basket.of({"rye": 1}), "<b>Ida")
