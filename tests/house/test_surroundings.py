"""What tests/conftest.py promises to every test."""

import http.server
import os
import socket
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


def test_no_test_reaches_the_network() -> None:
    """A name of another machine is refused before anything is looked up."""
    with pytest.raises(AssertionError, match=r"must not use the network.*'example\.org'"):
        urllib.request.urlopen("http://example.org")
    with socket.socket() as line, pytest.raises(AssertionError, match=r"192\.0\.2\.1"):
        line.connect(("192.0.2.1", 80))


def test_a_server_on_this_machine_can_be_reached() -> None:
    """Fake model servers listen on loopback."""
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    with server, socket.create_connection(server.server_address[:2]) as line:  # type: ignore[arg-type]
        line.sendall(b"GET / HTTP/1.0\r\n\r\n")
        reply = line.recv(64)
        thread.join()

    assert reply.startswith(b"HTTP/1.0 501")


def test_without_network_loopback_is_refused_too(no_network: None) -> None:
    """The fixture is for code that must not need a socket at all."""
    with pytest.raises(AssertionError, match="must not use the network"):
        socket.create_connection(("localhost", 9))


def test_a_test_has_a_data_folder_of_its_own(tmp_path: Path) -> None:
    """The default store of a test is never the developer's."""
    assert Path(os.environ["XDG_DATA_HOME"]).is_relative_to(tmp_path)
    assert not [name for name in os.environ if name.startswith("ENGRAM_")]


def test_missing_shared_data_skips_with_the_path(shared: Callable[[str], Path]) -> None:
    """The message says what is missing and where it was looked for."""
    with pytest.raises(pytest.skip.Exception, match="shared/no-such-thing"):
        shared("no-such-thing")


@given(st.integers())
def test_examples_are_the_same_everywhere(number: int) -> None:
    """Hypothesis is derandomised, so a red here is a red there."""
    assert settings.default is not None
    assert settings.default.derandomize
    assert isinstance(number, int)
