"""What ends a form: every entry of the log passes here, in the transaction that writes it."""

import sqlite3
from collections.abc import Iterable

from engram.errors import StoreCorrupt
from engram.plaintext.roles import Record, State
from engram.plaintext.store.coding import dumps, stored
from engram.plaintext.text.quoting import line


def told(record: Record) -> tuple[object, ...]:
    """What a form shows of a record, and what lets it show it."""
    return (line(record), record.state, record.valid_from, record.valid_to, record.expires_at)


def live(record: Record, now: float) -> bool:
    """Whether a record may be told now."""
    begun = record.kind == "raw" or record.valid_from is None or record.valid_from <= now
    holds = record.valid_to is None or record.valid_to > now
    lasts = record.expires_at is None or record.expires_at > now
    return record.state is State.ACTIVE and begun and holds and lasts


def touch(db: sqlite3.Connection, op: str, record: str | None, body: str | None) -> None:
    """End the forms that an entry of the log makes untrue; called before it is written.

    An erase destroys their rows. A change makes them stale; where it shows nowhere in them, as
    when only a tag moves, they go on with the new version.
    """
    if record is None:
        return
    held = db.execute("SELECT DISTINCT form FROM form_records WHERE record=?", (record,)).fetchall()
    if not held:
        return
    forms = [form for (form,) in held]
    if op == "erase" or body is None:
        drop(db, forms)
    elif _shows(db, record, body):
        spoil(db, forms)
    else:
        db.execute(
            "UPDATE form_records SET version=version+1 WHERE record=? AND version="
            "(SELECT max(version) FROM log WHERE record=? AND op='put')",
            (record, record),
        )


def _shows(db: sqlite3.Connection, record: str, body: str) -> bool:
    """Whether a form would show another record by this body."""
    before = db.execute(
        "SELECT body FROM log WHERE record=? AND op='put' ORDER BY version DESC LIMIT 1", (record,)
    ).fetchone()
    try:
        return told(stored(record, before[0])) != told(stored(record, body))
    except (StoreCorrupt, TypeError):  # whoever reads it next says what is wrong with it
        return True


def drop(db: sqlite3.Connection, forms: Iterable[str]) -> None:
    """Forget forms; ``sweep`` destroys their files."""
    wanted = dumps(list(forms))
    for table, key in (("forms", "id"), ("form_records", "form")):
        among = f"{key} IN (SELECT value FROM json_each(?))"
        db.execute(f"DELETE FROM {table} WHERE {among}", (wanted,))


def spoil(db: sqlite3.Connection, forms: Iterable[str]) -> None:
    """Make forms stale: what they were made of is known, and nothing of it is kept."""
    db.execute(
        "UPDATE forms SET state='stale', size=0, file='', checksum=x'', chain=x'' "
        "WHERE id IN (SELECT value FROM json_each(?))",
        (dumps(list(forms)),),
    )


def unfit(db: sqlite3.Connection) -> list[str]:
    """The fresh forms that hold a record which is not active, or another version of it."""
    found = db.execute(
        "SELECT DISTINCT f.id FROM forms f JOIN form_records h ON h.form=f.id "
        "LEFT JOIN rows r ON r.record=h.record AND r.known_to IS NULL "
        "WHERE f.state='fresh' AND (r.version IS NOT h.version OR r.state!='active') ORDER BY f.id"
    )
    return [form for (form,) in found]
