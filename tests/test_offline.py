"""The guard around the tests: nothing leaves this machine, nothing is written into the user's own folders."""

import asyncio
import socket
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import pytest

from gisapp.resources import cache_dir, config_dir

OUTSIDE = "192.0.2.1"  # reserved for documentation (RFC 5737): nobody answers there


def test_connections_are_refused_at_once():
    """Neither a stream nor a datagram reaches an address outside."""
    with socket.socket() as stream, pytest.raises(ConnectionError, match="without network"):
        stream.connect((OUTSIDE, 80))
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram,
        pytest.raises(ConnectionError, match="without network"),
    ):
        datagram.sendto(b"x", (OUTSIDE, 53))


def test_names_are_not_looked_up():
    """A foreign name is refused before any server is asked for it, through a library as well."""
    with pytest.raises(ConnectionError, match="getaddrinfo"):
        socket.getaddrinfo("example.org", 443)
    with pytest.raises(OSError, match="without network"):
        urllib.request.urlopen("http://example.org", timeout=1)


def test_event_loops_are_refused_too():
    """Asynchronous clients meet the same wall."""

    async def reach() -> None:
        await asyncio.open_connection(OUTSIDE, 80)

    with pytest.raises(ConnectionError, match="without network"):
        asyncio.run(reach())


def test_processes_started_by_a_test_are_refused_too():
    """A Python process that a test starts has the same guard."""
    code = f"import socket; socket.create_connection(('{OUTSIDE}', 80), timeout=1)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.returncode != 0
    assert "NetworkBlockedError" in done.stderr


def test_this_machine_can_be_reached():
    """A server on the loopback address answers, or no app could be tested."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(("localhost", server.getsockname()[1]), timeout=5) as client,
        server.accept()[0] as accepted,
    ):
        client.sendall(b"hello")
        assert accepted.recv(5) == b"hello"


def test_user_folders_are_temporary():
    """The cache and settings of whoever runs the tests stay untouched."""
    temporary = Path(tempfile.gettempdir()).resolve()
    assert cache_dir().resolve().is_relative_to(temporary)
    assert config_dir().resolve().is_relative_to(temporary)
