"""Revealing: what a secret keeps sealed, told to one who says why, and never without a commit."""

from engram.errors import InvalidInput
from engram.plaintext.cipher import cipher
from engram.plaintext.roles import Record
from engram.plaintext.store.store import Store
from engram.plaintext.store.transaction import Commit


def reveal(
    store: Store, record: Record, now: float, *, actor: str, reason: str
) -> tuple[str, Commit]:
    """The value of a secret, and the commit that says that it was told.

    The commit is written before the value is given away, and holds the id and the reason; the log
    counts it as a use of the record.

    Raises:
        InvalidInput: the record keeps nothing sealed.
        ConfigError: the key is not there, or is not the one that sealed it.
    """
    sealed = record.fields.get("value")
    if record.kind != "secret" or not isinstance(sealed, str):
        raise InvalidInput(
            f"only a memory of kind 'secret' can be revealed, got one of kind {record.kind!r}; "
            "search with filters={'kind': 'secret'} finds them"
        )
    value = cipher(make=False).reveal(sealed, str(record.fields.get("caption")))
    note = {"actor": actor, "method": "reveal", "reason": f"{record.id}: {reason}"}
    with store.write(now, **note) as transaction:
        transaction.count_uses(({record.id: 1}, now))
        return value, transaction.commit
