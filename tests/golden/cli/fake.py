# SPDX-License-Identifier: GPL-2.0-or-later
#
# A daemon that knows its answers beforehand, on a real socket: it speaks the framing of khien/proto.h and keeps what it was asked, files
# included. And a terminal to run khien on.
import fcntl
import json
import os
import pty
import re
import select
import socket
import struct
import termios
import threading


def pick(value, lang):
    """Texts of both languages in one reply: {"en": ..., "vi": ...} becomes the one that was asked for."""
    if isinstance(value, dict):
        if set(value) == {"en", "vi"}:
            return value[lang]
        return {key: pick(item, lang) for key, item in value.items()}
    if isinstance(value, list):
        return [pick(item, lang) for item in value]
    return value


def frame(value):
    data = json.dumps(value).encode()
    return struct.pack("=I", len(data)) + data


class Daemon:
    """answers: op -> an answer, or a list of them used one after the other. An answer is an object, or bytes sent as they are (then the
    connection is closed)."""

    def __init__(self, path, answers):
        self.answers = {op: list(answer) if isinstance(answer, list) else answer for op, answer in answers.items()}
        self.requests = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(path)
        self.socket.listen(8)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            with client:
                self.serve_one(client)

    @staticmethod
    def receive(client, length):
        data = b""
        while len(data) < length:
            part = client.recv(length - len(data))
            if not part:
                break
            data += part
        return data

    def serve_one(self, client):
        data, fds, _, _ = socket.recv_fds(client, 4, 64)
        files = []
        for fd in fds:
            files.append(os.pread(fd, 1 << 20, 0).decode(errors="replace"))
            os.close(fd)
        data += self.receive(client, 4 - len(data))
        if len(data) < 4:  # it changed its mind
            return
        request = json.loads(self.receive(client, struct.unpack("=I", data)[0]))
        self.requests.append((request, files))
        answer = self.answers.get(request["op"])
        if isinstance(answer, list):
            answer = answer.pop(0)
        if isinstance(answer, bytes):
            client.sendall(answer)
        elif answer is None:
            client.sendall(frame({"exit": 2, "error": {"text": "the fake daemon has no answer to " + request["op"]}}))
        else:
            client.sendall(frame(pick(answer, request["lang"])))


QUESTION = r"(\[[yc]\]|\n(Number of the letter|Số văn bản)).*: $".encode()


def run_on_terminal(arguments, env, typed, width=100):
    """Runs on a terminal of its own (forkpty) and types each line when a question stands there. Returns output and exit code."""
    pid, master = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
        os.execve(arguments[0], arguments, env)
    output, waiting = b"", list(typed)
    while True:
        ready, _, _ = select.select([master], [], [], 30)
        if not ready:
            break
        try:
            data = os.read(master, 65536)
        except OSError:  # EIO: the program has gone
            break
        if not data:
            break
        output += data
        if waiting and re.search(QUESTION, output):
            answer = waiting.pop(0)
            output += b"\0"  # so that the same question is not answered twice
            os.write(master, answer if answer == b"\x04" else answer + b"\n")
    os.close(master)
    status = os.waitpid(pid, 0)[1]
    return output.replace(b"\0", b"").replace(b"\r\n", b"\n").decode(), os.waitstatus_to_exitcode(status)
