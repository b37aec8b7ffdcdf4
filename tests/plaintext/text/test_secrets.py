"""Secrets are seen by their shape, by the words around them, and by looking like nothing said."""

import pytest

from engram.plaintext.text.secrets import secrets


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The wifi password is swordfish.", ["swordfish"]),
        ("Password: correct horse battery staple", ["correct horse battery staple"]),
        ("Passwords: a1b2c3d4, e5f6g7h8 and Zz9$kk2", ["a1b2c3d4", "e5f6g7h8", "Zz9$kk2"]),
        ("hunter2! is my netflix password", ["hunter2!"]),
        ("postgres://bob:s3cr3t@db/x", ["s3cr3t"]),
        ("my card is 4111 1111 1111 1111, cvv 123", ["4111 1111 1111 1111", "123"]),
        ("The door code at the office is 4471#", ["4471#"]),
    ],
)
def test_a_secret_is_found_whole(text: str, found: list[str]) -> None:
    """And nothing beside it."""
    assert [text[each.start : each.end] for each in secrets(text)] == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x" * 63,
        "My password is too weak",
        "I forgot my password yesterday.",
        "The password manager is great, I use Bitwarden",
        "We have 1234 tokens left",
        "The key to success is patience.",
        "See https://example.com/aB3dE5fG7hI9jK1lM3nO",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "My password for the bank is [sealed password 3f9a1c]",
    ],
)
def test_talk_about_secrets_is_none(text: str) -> None:
    """Nor is an address, a hash, or what was sealed before."""
    assert secrets(text) == []
