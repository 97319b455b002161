"""A basket and what it costs."""

from collections.abc import Mapping
from dataclasses import dataclass

from bakery.catalogue import BY_SLUG, Product

DELIVERY = 4.50
FREE_DELIVERY_FROM = 30.00
MOST_OF_ONE = 50


@dataclass(frozen=True)
class Line:
    """So many of one product."""

    product: Product
    quantity: int

    @property
    def price(self) -> float:
        return self.product.price * self.quantity


@dataclass(frozen=True)
class Basket:
    """What somebody wants to buy."""

    lines: tuple[Line, ...] = ()

    @classmethod
    def of(cls, quantities: Mapping[str, int]) -> "Basket":
        """A basket with so many of each product. What we do not sell is left out."""
        return cls(
            tuple(
                Line(BY_SLUG[slug], min(quantity, MOST_OF_ONE))
                for slug, quantity in quantities.items()
                if slug in BY_SLUG and quantity > 0
            )
        )

    @property
    def subtotal(self) -> float:
        return sum(line.price for line in self.lines)

    @property
    def delivery(self) -> float:
        if not self.lines or self.subtotal >= FREE_DELIVERY_FROM:
            return 0.0
        return DELIVERY

    @property
    def total(self) -> float:
        return self.subtotal + self.delivery
