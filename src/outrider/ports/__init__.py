"""What the product needs from outside, one Protocol a file. Adapters implement them; nobody else names an adapter."""
