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
    "ENGRAM_DURABILITY": "'full', 'normal' or 'off'; see the page on durability",
    "ENGRAM_USER": "user_id of the command line",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says; None where it says nothing."""

    path: Path
    embedder: str | None = None
    durability: str = "full"
    user: str | None = None


def settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read and check the environment.

    Raises:
        ConfigError: a variable that starts with ``ENGRAM_`` is not one of ``VARIABLES``.
    """
    env = os.environ if environment is None else environment
    for name in env:
        if name.startswith("ENGRAM_") and name not in VARIABLES:
            near = get_close_matches(name, VARIABLES, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(VARIABLES)}"
            raise ConfigError(f"{name} is not a variable of engram; {hint}")
    path = env.get("ENGRAM_PATH")
    return Settings(
        path=Path(path).expanduser() if path else data_folder(env) / "memory.db",
        embedder=env.get("ENGRAM_EMBEDDER") or None,
        durability=env.get("ENGRAM_DURABILITY") or "full",
        user=env.get("ENGRAM_USER") or None,
    )


def data_folder(env: Mapping[str, str]) -> Path:
    """Where the data of this user lives: the XDG data folder, or its counterpart on Windows."""
    home = env.get("XDG_DATA_HOME") or (env.get("LOCALAPPDATA") if os.name == "nt" else None)
    return (Path(home) if home else Path.home() / ".local" / "share") / "engram"
