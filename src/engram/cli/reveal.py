"""The door of the vault: reveal."""

from typing import Annotated, Unpack

import typer

from engram.cli.door import RECALL, command
from engram.cli.options import RecordId, Scoped, ids, note, opened
from engram.cli.show import plain, tell


@command(RECALL)
def reveal(
    record_id: RecordId,
    reason: Annotated[str, typer.Option(metavar="WHY", help="What it is needed for, for the log.")],
    **shared: Unpack[Scoped],
) -> None:
    """Show a secret that a preset with a vault has sealed; the log keeps when and why.

    The key is ENGRAM_VAULT_KEY, else the file engram-vault.key beside the data folder. To find the
    id: engram search my password --filter '{"kind": "secret"}'

    Example: engram reveal 01a20b78-e09e-7ed4-8afe-fdfcf1215a58 --reason "to log in"
    """
    with opened(shared) as memory:
        told = memory.reveal(record_id, reason=reason, **ids(shared))
    note(shared, told["memory"])
    note(shared, f"commit {told['commit']}")
    tell(shared, told, plain(told["value"]))
