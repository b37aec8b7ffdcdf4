"""What is sealed opens under its key and its caption alone."""

import pytest

from engram.errors import ConfigError
from engram.plaintext.cipher import Cipher


def test_a_secret_opens_only_under_its_caption() -> None:
    """Another caption, or a changed byte, is another secret."""
    lock = Cipher(b"k" * 64)
    sealed = lock.seal("geheim €", "door")

    assert lock.reveal(sealed, "door") == "geheim €"
    with pytest.raises(ConfigError, match="the key that sealed it"):
        lock.reveal(sealed, "gate")
    with pytest.raises(ConfigError, match="the key that sealed it"):
        lock.reveal("A" + sealed[1:] if sealed[0] != "A" else "B" + sealed[1:], "door")
