"""What we sell."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Product:
    """Something to buy. The price is in euros and contains the tax."""

    slug: str
    name: str
    price: float
    note: str


PRODUCTS = (
    Product("sourdough", "Sourdough loaf", 5.90, "1 kg, baked at four in the morning"),
    Product("rye", "Rye loaf", 4.80, "750 g, keeps for a week"),
    Product("croissant", "Butter croissant", 1.85, "three days in the making"),
    Product("cinnamon-knot", "Cinnamon knot", 2.70, "the one from the window"),
    Product("apricot-jam", "Apricot jam", 6.40, "340 g, from Jonas' garden"),
    Product("coffee", "House coffee", 9.20, "250 g, whole beans"),
)

BY_SLUG = {product.slug: product for product in PRODUCTS}
