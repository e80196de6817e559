# SPDX-License-Identifier: GPL-2.0-or-later
"""Talking to khiend without khien: one request a connection (include/khien/proto.h). What a push sends is learnt once, from a khien that is given a daemon of
ours; then it can be sent any number of times in a few milliseconds each."""
import array
import json
import os
import socket
import struct
import subprocess
import tempfile


class Gone(Exception):
    """The daemon took the request, and nothing came back."""


def connect(path, seconds=60):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(seconds)
    s.connect(path)
    return s


def receive(s, size):
    data = b""
    while len(data) < size:
        piece = s.recv(size - len(data))
        if not piece:
            raise Gone()
        data += piece
    return data


def ask(path, request, fds=(), seconds=60):
    """The reply as an object. Gone when the connection ends without one; ConnectionRefusedError when nobody listens."""
    body = json.dumps({"v": 1, "lang": "en", **request}).encode()
    with connect(path, seconds) as s:
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            s.sendmsg([struct.pack("=I", len(body)) + body], ancillary)
            length = struct.unpack("=I", receive(s, 4))[0]
            return json.loads(receive(s, length))
        except (ConnectionResetError, BrokenPipeError) as why:
            raise Gone() from why


class Push:
    """A push of these files, as khien would send it."""

    def __init__(self, khien, arguments):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "control.sock")
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            server.bind(path)
            server.listen(1)
            server.settimeout(60)
            client = subprocess.Popen([khien, "--socket", path, "push", "--yes", *arguments], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            s, _ = server.accept()
            data, fds, _, _ = socket.recv_fds(s, 1 << 20, 64)
            length = struct.unpack("=I", data[:4])[0]
            while len(data) < 4 + length:
                data += s.recv(1 << 20)
            s.close()
            server.close()
            client.wait()
        self.request = json.loads(data[4:])
        self.request.pop("dry_run", None)
        self.request.pop("token", None)
        self.fds = fds

    def __call__(self, path, **more):
        return ask(path, {**self.request, **more}, self.fds)
