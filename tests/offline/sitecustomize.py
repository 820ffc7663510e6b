"""Keep this Python process off the network: only this machine itself may be reached.

tests/conftest.py imports this module and puts its folder on PYTHONPATH, where every Python process that a
test starts finds it under the name that Python imports at start-up. An audit hook sees each call in the C
layer, so that no library can have kept a reference to an unguarded function; it cannot be taken off again.
"""

import ipaddress
import sys


class NetworkBlockedError(ConnectionError):
    """A test tried to leave this machine."""


def is_local(host: object) -> bool:
    """Say whether a host name or address means this machine."""
    if isinstance(host, bytes):
        host = host.decode()
    if host in (None, "", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(str(host))
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def refuse_network(event: str, args: tuple) -> None:
    """Raise when a socket is about to leave this machine or a foreign name is about to be looked up."""
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = args[1]
        # Addresses of Unix sockets are text or bytes; None is a socket connected (and checked) before.
        if not isinstance(address, tuple) or is_local(address[0]):
            return
        host = address[0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = args[0]
        if is_local(host):
            return
    else:
        return
    raise NetworkBlockedError(f"tests run without network: {event} to {host!r} was refused")


sys.addaudithook(refuse_network)
