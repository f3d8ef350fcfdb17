"""Ports of the loopback that nobody uses."""

import socket


def free_ports(count: int) -> list[int]:
    """So many, all different; somebody may take one before it is used."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports
