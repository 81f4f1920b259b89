"""Local ports: bound, or the reason why not in words that help."""

from __future__ import annotations

import errno
import socket

from softagent.errors import ConfigError, PortInUse, SoftagentError
from softagent.sip.address import join_host_port


def bound(
    kind: socket.SocketKind, family: socket.AddressFamily, host: str, port: int
) -> socket.socket:
    """A socket on that local address, "" for every one of the family. Raises OSError."""
    channel = socket.socket(family, kind)
    try:
        if family == socket.AF_INET6:
            channel.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:  # connections of the last run may still wait out their time
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        channel.bind((host, port))
    except OSError:
        channel.close()
        raise
    return channel


def bind_problem(error: OSError, account: str, host: str, port: int) -> SoftagentError:
    """PortInUse for what may pass, the port taken or the address not up; else ConfigError."""
    whose = f'account "{account}": '
    match error.errno:
        case errno.EADDRINUSE:
            where = join_host_port(host or "0.0.0.0", port)
            return PortInUse(
                f"{whose}local_port {port}: {where} is taken by another program; "
                "choose another port, or 0 for any"
            )
        case errno.EADDRNOTAVAIL:  # no ConfigError: after a power cut the network comes late
            return PortInUse(
                f'{whose}local_address "{host}": this machine has no such address now; '
                "bring its network up, or leave local_address out to have it chosen"
            )
        case _:
            return ConfigError(
                [
                    f'{whose}local_address "{host}", local_port {port}: '
                    f"can't be used here ({error.strerror}); leave them out to have them chosen"
                ]
            )
