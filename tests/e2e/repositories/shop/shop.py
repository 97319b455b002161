"""A shop whose orders are in PostgreSQL."""

import os

import psycopg2


def total() -> int:
    """The sum of all orders."""
    with psycopg2.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orders")
        return cursor.fetchone()[0]
