"""Do the forms of a store have their files, and is nothing else there?"""

import sqlite3
from collections.abc import Iterator

from engram.plaintext.store import parts
from engram.plaintext.store.forms import FRESH, Form, checksum, sweep, within
from engram.plaintext.store.store import Store
from engram.plaintext.store.touching import spoil, unfit


def content(store: Store, form: Form) -> bytes | None:
    """What the file of a form holds; None where it is missing or not what was written."""
    try:
        held = (parts.folder(store.path) / form.file).read_bytes()
    except OSError:
        return None
    return held if checksum(held) == form.checksum else None


def problems(store: Store) -> list[str]:
    """One line for each form without its file, and for what no form owns or can be trusted."""
    with store.snapshot() as db:
        try:
            held = within(db, None)
            wrong = unfit(db) if held else []
        except (sqlite3.DatabaseError, TypeError) as error:  # damage is a finding, not a failure
            return [f"forms: cannot be read ({error})"]
    fresh = [form for form in held if form.state == FRESH]
    said = [f"forms: {form} holds what is not recalled as it says" for form in wrong]
    said += [f"forms: {form.id} has a file that is {why}" for form, why in _broken(store, fresh)]
    # What is put in its place meanwhile has its row a moment later: only what stays is nobody's.
    if stray := _stray(store):
        with store.exclusive():
            stray = [name for name in stray if name in _stray(store)]
    return said + [f"forms: the file {name} belongs to none" for name in stray]


def _broken(store: Store, forms: list[Form]) -> Iterator[tuple[Form, str]]:
    for form in forms:
        if not (parts.folder(store.path) / form.file).is_file():
            yield form, "missing"
        elif content(store, form) is None:
            yield form, "damaged"


def _stray(store: Store) -> list[str]:
    with store.snapshot() as db:
        named = {form.file for form in within(db, None)}
    found = parts.listed(store.path)
    return sorted(name for name in found.keys() - named if not parts.is_part(found[name]))


def mend(store: Store) -> None:
    """End the forms that have no sound file, so that they are made anew when they are wanted."""
    with store.snapshot() as db:
        fresh = [form for form in within(db, None) if form.state == FRESH]
    broken = [form.id for form, _ in _broken(store, fresh)]
    with store.exclusive() as db:
        spoil(db, [*broken, *unfit(db)])
    sweep(store)
