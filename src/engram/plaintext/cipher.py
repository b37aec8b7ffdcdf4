"""The lock of the vault: a secret goes into the file encrypted, under a key that is not in it."""

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from engram.config import data_folder, vault_key
from engram.errors import ConfigError
from engram.extras import require

_BYTES = 64  # two keys of 256 bits: one to encrypt, one to vouch for what was encrypted


@dataclass(frozen=True, slots=True)
class Cipher:
    """AES-SIV: what was sealed cannot be read or changed without the key.

    The same secret under the same caption is sealed to the same text, so that what is said twice
    is held once; that two are equal is all that the file tells of them.
    """

    key: bytes = field(repr=False)

    def seal(self, secret: str, caption: str) -> str:
        """The secret as text that only the key opens, and only under this caption."""
        sealed = _aead().AESSIV(self.key).encrypt(secret.encode(), [caption.encode()])
        return base64.urlsafe_b64encode(sealed).decode()

    def reveal(self, sealed: str, caption: str) -> str:
        """What ``seal`` was given.

        Raises:
            ConfigError: it was sealed with another key, or was changed since.
        """
        broken = require("cryptography.exceptions", extra="vault", purpose="the vault").InvalidTag
        try:
            data = base64.urlsafe_b64decode(sealed.encode())
            return str(_aead().AESSIV(self.key).decrypt(data, [caption.encode()]), "utf-8")
        except (broken, binascii.Error):
            raise ConfigError(
                "a secret can only be revealed with the key that sealed it, got another; set "
                f"ENGRAM_VAULT_KEY or put the key back into {key_file(os.environ)}"
            ) from None


def ready() -> None:
    """Raise MissingExtra where secrets cannot be encrypted."""
    _aead()


def cipher(*, make: bool) -> Cipher:
    """The cipher of this user: the key of ``ENGRAM_VAULT_KEY``, else that of the key file.

    Args:
        make: write a key file where there is no key.

    Raises:
        ConfigError: the key cannot be used, or there is none.
    """
    given = vault_key(os.environ)
    return Cipher(_checked(given, "ENGRAM_VAULT_KEY") if given else _filed(make=make))


def key_file(env: Mapping[str, str]) -> Path:
    """Beside the folder of the store, so that a copy of the folder does not take the key along."""
    return data_folder(env).with_name("engram-vault.key")


def _filed(*, make: bool) -> bytes:
    path = key_file(os.environ)
    try:
        if make and not path.exists():
            _write(path, os.urandom(_BYTES).hex())
        return _checked(path.read_text(encoding="ascii").strip(), str(path))
    except FileNotFoundError:
        raise ConfigError(
            f"the vault needs its key, got none; set ENGRAM_VAULT_KEY or put it back into {path}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} must hold the key of the vault, it fails ({error})") from None


def _write(path: Path, key: str) -> None:
    """All of the key or none of it, for the owner's eyes alone; the first of two writers wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(f"{key}\n")
        if not path.exists():
            os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)


def _checked(key: str, where: str) -> bytes:
    try:
        data = bytes.fromhex(key)
    except ValueError:
        data = b""
    if len(data) != _BYTES:
        raise ConfigError(
            f"{where} must hold {2 * _BYTES} hexadecimal digits, got {len(key)} characters; "
            f"make a key with 'openssl rand -hex {_BYTES}'"
        )
    return data


def _aead() -> ModuleType:
    return require(
        "cryptography.hazmat.primitives.ciphers.aead", extra="vault", purpose="the vault"
    )
