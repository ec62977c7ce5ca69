"""What messages say of a database that refuses."""

from __future__ import annotations

import psycopg

from qfc_node.gis.deltas.editors.postgres_connection import said


def test_words_of_the_server_are_one_line() -> None:
    refused = "connection failed: refused\n\tIs the server running on that host?\n"
    assert said(psycopg.OperationalError(refused)) == "connection failed: refused Is the server running on that host?"
