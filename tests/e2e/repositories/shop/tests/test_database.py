"""The database is there, with what setup and the start command put into it."""

import os

import psycopg2


def test_the_order_of_the_start_command_is_there():
    with psycopg2.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT what, price FROM orders WHERE what = 'coffee'")
        assert ("coffee", 3) in cursor.fetchall()
