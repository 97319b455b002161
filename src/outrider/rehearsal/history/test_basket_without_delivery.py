"""What a basket costs."""

import pytest

from bakery.basket import Basket


def test_an_empty_basket_costs_nothing():
    assert Basket().total == 0


def test_a_basket_costs_the_sum_of_its_lines():
    assert Basket.of({"sourdough": 1, "croissant": 2}).total == pytest.approx(9.60)


def test_nobody_gets_more_than_fifty_of_one_thing():
    (line,) = Basket.of({"croissant": 400}).lines
    assert line.quantity == 50


def test_what_we_do_not_sell_is_left_out():
    assert Basket.of({"pizza": 2, "rye": -1}).lines == ()
