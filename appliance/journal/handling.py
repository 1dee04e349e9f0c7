"""What call handling needs to know of before: who called which line, who took calls. Reading only."""

import sqlite3


def heard(db: sqlite3.Connection) -> set[tuple[str, str]]:
    """(line, number) of everybody who has heard a line's first greeting."""
    return {(str(row[0]), str(row[1])) for row in db.execute("SELECT line, number FROM heard")}


def last_answers(db: sqlite3.Connection) -> dict[str, str]:
    """Extension to the stamp of the last call from outside that it took; ISO 8601 UTC."""
    query = (
        "SELECT answered_by, max(started_at) FROM calls WHERE direction = 'in' AND talk_ms > 0 AND answered_by <> ''"
        " GROUP BY answered_by"
    )
    return {str(row[0]): str(row[1]) for row in db.execute(query)}


def taken_since(db: sqlite3.Connection, since: str) -> dict[str, int]:
    """Extension to how many calls from outside it took since a stamp."""
    query = (
        "SELECT answered_by, count(*) FROM calls WHERE direction = 'in' AND talk_ms > 0 AND started_at >= ? GROUP BY 1"
    )
    return {str(row[0]): int(row[1]) for row in db.execute(query, (since,)) if row[0]}
