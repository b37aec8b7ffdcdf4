"""Settings from the environment. An unknown ``ENGRAM_*`` variable is an error, not a wish."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from engram.errors import ConfigError

VARIABLES: Mapping[str, str] = {
    "ENGRAM_PATH": "file of the store; default: engram/memory.db in the XDG data folder",
    "ENGRAM_EMBEDDER": "embedder of new stores, such as 'wordllama' or 'none'",
    "ENGRAM_MODEL": "language model that methods may ask, such as 'ollama:llama3.2'; default: none",
    "ENGRAM_DURABILITY": "'full', 'normal' or 'off'; see the page on durability",
    "ENGRAM_USER": "user_id of the command line",
    "ENGRAM_VAULT_KEY": "key of the vault, 128 hexadecimal digits; default: engram-vault.key in "
    "the XDG data folder, made when it is needed",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says; None where it says nothing."""

    path: Path
    embedder: str | None = None
    model: str | None = None
    durability: str = "full"
    user: str | None = None


def settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read and check the environment.

    Raises:
        ConfigError: a variable that starts with ``ENGRAM_`` is not one of ``VARIABLES``, or its
            value cannot be used.
    """
    env = os.environ if environment is None else environment
    for name in env:
        if name.startswith("ENGRAM_") and name not in VARIABLES:
            near = get_close_matches(name, VARIABLES, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(VARIABLES)}"
            raise ConfigError(f"{name} is not a variable of engram; {hint}")
    return Settings(
        path=_path(env.get("ENGRAM_PATH")) or data_folder(env) / "memory.db",
        embedder=env.get("ENGRAM_EMBEDDER") or None,
        model=env.get("ENGRAM_MODEL") or None,
        durability=_durability(env.get("ENGRAM_DURABILITY") or "full"),
        user=env.get("ENGRAM_USER") or None,
    )


def _path(path: str | None) -> Path | None:
    try:
        return Path(path).expanduser() if path else None
    except RuntimeError as error:
        raise ConfigError(f"ENGRAM_PATH must be a path, got {path!r} ({error})") from None


def _durability(durability: str) -> str:
    if durability not in ("full", "normal", "off"):
        raise ConfigError(
            f"ENGRAM_DURABILITY must be 'full', 'normal' or 'off', got {durability!r}"
        )
    return durability


def data_folder(env: Mapping[str, str]) -> Path:
    """Where the data of this user lives: the XDG data folder, or its counterpart on Windows."""
    home = env.get("XDG_DATA_HOME") or (env.get("LOCALAPPDATA") if os.name == "nt" else None)
    return (Path(home) if home else Path.home() / ".local" / "share") / "engram"


def vault_key(env: Mapping[str, str]) -> str | None:
    """The key of the vault, where the environment holds one; no ``Settings`` show it."""
    return env.get("ENGRAM_VAULT_KEY") or None
