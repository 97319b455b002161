"""Run by git in place of ssh: joins its own stdin and stdout with the socket whose number is the first argument.

A program of its own, started with nothing but the standard library: git knows no other way to be given a connection.
"""

import contextlib
import os
import socket
import sys
import threading

CHUNK = 1 << 16


def send_all(connection: socket.socket) -> None:
    """stdin to the socket, then the end of it."""
    while chunk := os.read(0, CHUNK):
        connection.sendall(chunk)
    connection.shutdown(socket.SHUT_WR)


def receive_all(connection: socket.socket) -> None:
    """The socket to stdout, until its end."""
    while chunk := connection.recv(CHUNK):
        view = memoryview(chunk)
        while view:
            view = view[os.write(1, view) :]


def main() -> None:
    """Splice until the other side has ended."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    threading.Thread(target=send_all, args=(connection,), daemon=True).start()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        receive_all(connection)


if __name__ == "__main__":
    main()
