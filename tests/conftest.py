"""What every test gets: its own home, no way out to the network, the same examples each time."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Loads differ from machine to machine, so time is no verdict; examples are the same everywhere.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("ci")

ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@pytest.fixture(scope="session", autouse=True)
def _quiet_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Caches and settings of libraries go to a folder of this run."""
    home = tmp_path_factory.mktemp("home")
    for variable in [name for name in os.environ if name.startswith("ENGRAM_")]:
        del os.environ[variable]  # a developer's own store is none of the tests' business
    os.environ["XDG_CACHE_HOME"] = str(home / "cache")
    os.environ["XDG_CONFIG_HOME"] = str(home / "config")
    os.environ["XDG_STATE_HOME"] = str(home / "state")
    os.environ["XDG_DATA_HOME"] = str(home / "data")
    os.environ["MPLBACKEND"] = "agg"


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has an empty data folder, so that a default path is never the user's."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg-data"))


@pytest.fixture(autouse=True)
def _only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections leave this machine in no test; a fake server on loopback is reachable."""
    _guard(monkeypatch, LOOPBACK)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even loopback: the code under test must work with no socket at all."""
    _guard(monkeypatch, set())


@pytest.fixture
def shared() -> Callable[[str], Path]:
    """Finds ``../shared/NAME``, data too large for the repository, or skips the test."""

    def find(name: str) -> Path:
        path = ROOT.parent / "shared" / name
        if not path.exists():
            pytest.skip(f"needs {path}, which is not on this machine")
        return path

    return find


def _guard(monkeypatch: pytest.MonkeyPatch, allowed: set[str]) -> None:
    """Fail the test that asks for an address whose host is not ``allowed``.

    AssertionError, so that code which handles a broken connection does not handle this.
    """
    connect, connect_ex, lookup = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )

    def check(host: object) -> None:
        name = host.decode() if isinstance(host, bytes) else host
        assert name in allowed, f"a test must not use the network, it asked for {host!r}"

    def host_of(address: Any) -> object:
        # A Unix socket is a path on this machine: as near as loopback.
        return address[0] if isinstance(address, tuple) else "localhost"

    def guarded_connect(self: socket.socket, address: Any) -> None:
        check(host_of(address))
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        check(host_of(address))
        return connect_ex(self, address)

    def guarded_lookup(host: Any, *rest: Any, **named: Any) -> Any:
        check(host)
        return lookup(host, *rest, **named)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_lookup)
