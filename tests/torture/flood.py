# SPDX-License-Identifier: GPL-2.0-or-later
"""The control socket is flooded, and an honest client goes on being answered: flood.py SECONDS SOCKET KHIEN PID USER GROUP

Each kind of flood for SECONDS: those that a mistake can make by root (who could as well stop the daemon), every one by USER of GROUP, who may look; then all at once.
KHIEN is khien's command line with | between its words. Meanwhile `khien status`, `khien block` and `khien unblock` follow each other, each answered within
PATIENCE; the daemon's descriptors come back, and its memory stays within its bounds, the same ones when the floods come again. Prints figures; ends with 1 when
anything was wrong, and by itself in any case.
"""
import json
import os
import random
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import time

CLIENTS = 10  # processes of a flood
SILENT = 100  # connections that one of them holds half-open
GIGABYTE = 1 << 30
PLACES, FILES = 32, 64  # KH_PROTO_MAX_CLIENTS, KH_PROTO_MAX_FDS
PATIENCE = 60  # seconds: a client that waits longer is locked out
DESCRIPTORS = PLACES * (FILES + 1) + 64  # more than before, at most
MEMORY = 256 << 20  # bytes more than before, at most: every place with an answer of 5,000 rows (about 3 MiB, and once more while it is made)
GROWS = 24 << 20  # bytes more than the first time, at most, when the floods come again: khiend keeps what it has freed for the next list (common/memory.h)
LOOKS = ("status", "list", "history", "stats", "audit", "audit-verify", "verify", "review", "source-list", "nonsense")


def frame(text):
    return struct.pack("=I", len(text)) + text


def request(op):
    return frame(json.dumps({"v": 1, "op": op, "lang": "en"}).encode())


def dial(path, seconds=PATIENCE):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(seconds)
    s.connect(path)
    return s


def whole_answer(s):
    head = s.recv(4, socket.MSG_WAITALL)
    if len(head) < 4:
        raise ConnectionResetError()
    length = struct.unpack("=I", head)[0]
    while length > 0:
        piece = s.recv(min(length, 1 << 20))
        if not piece:
            raise ConnectionResetError()
        length -= len(piece)


# ---- Floods: one round of each; they are called again and again ---------------------------------------------------------------------------------


def valid(path, draw):
    """Requests without a rest, on one connection or each on its own."""
    with dial(path) as s:
        for _ in range(draw.choice((1, 1, 100))):
            s.sendall(request(draw.choice(LOOKS)))
            whole_answer(s)


def garbage(path, draw):
    """Bytes that are no frame, frames that are no request, and requests whose members are of the wrong kind."""
    junk = (None, -1, 1 << 62, 1.5e300, "x" * 70000, [], [[[[]]]], {"a": {}}, True)
    with dial(path) as s:
        for _ in range(20):
            kind = draw.randrange(4)
            if kind == 0:
                s.sendall(draw.randbytes(draw.randrange(1, 5000)))
            elif kind == 1:
                s.sendall(frame(draw.randbytes(draw.randrange(0, 5000))))
            elif kind == 2:
                s.sendall(frame(b'{"a":' * draw.randrange(1, 100000))[: 1 << 20])
            else:
                s.sendall(frame(json.dumps({"v": 1, "op": draw.choice(LOOKS), **{name: draw.choice(junk) for name in
                          ("lang", "limit", "after", "ref", "values", "ttl", "token", "since", "by", "session", "wait", "name", "dry_run", "files")}}).encode()))
        s.settimeout(0.2)
        try:
            while s.recv(1 << 16):
                pass
        except TimeoutError:
            pass


def half(path, draw):
    """The beginning of a request, and off."""
    with dial(path) as s:
        whole = request(draw.choice(LOOKS))
        s.sendall(whole[: draw.randrange(1, len(whole))])


def giant(path, draw):
    """A gigabyte: announced in one frame, or as frames that are each as large as they may be."""
    size = draw.choice((GIGABYTE, 1 << 20))
    piece = b" " * (1 << 20)
    with dial(path) as s:
        sent = 0
        while sent < GIGABYTE:
            if size < GIGABYTE or not sent:
                s.sendall(struct.pack("=I", size))
            s.sendall(piece)
            sent += len(piece)
            if size < GIGABYTE:
                whole_answer(s)


class Held:
    """Connections held half-open; whichever is cut off is opened again at once."""

    def __init__(self, many, opening):
        self.many, self.opening, self.open = many, opening, {}
        self.poll = select.poll()

    def __call__(self, path, draw):
        while len(self.open) < self.many:
            s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            s.setblocking(False)
            try:
                s.connect(path)
                self.opening(s, draw)
            except OSError:
                s.close()
                break
            self.open[s.fileno()] = s
            self.poll.register(s, select.POLLRDHUP)
        for fd, _ in self.poll.poll(10):
            self.poll.unregister(fd)
            self.open.pop(fd).close()


def nothing(s, draw):
    if draw.random() < 0.5:
        s.send(request("status")[: draw.randrange(1, 20)])


def unread(s, draw):
    """Answers that nobody takes."""
    s.send(request("list") * 4)


def files(s, draw):
    """Half a request with as many files as there may be."""
    file = os.memfd_create("flood")
    socket.send_fds(s, [request("push")[:5]], [file] * FILES)
    os.close(file)


FLOODS = {"valid": valid, "garbage": garbage, "half": half, "giant": giant, "silent": lambda: Held(SILENT, nothing),
          "unread": lambda: Held(PLACES, unread), "files": lambda: Held(PLACES, files)}
MISTAKES = ("valid", "garbage", "half", "giant", "silent")
HELD = ("silent", "unread", "files")


# ---- Running them -------------------------------------------------------------------------------------------------------------------------------


class Swarm:
    """Processes that flood until they are stopped; a second longer than LIMIT they do not live."""

    def __init__(self, path, names, user, limit):
        self.children = []
        for name in names:
            for number in range(1 if name in HELD else CLIENTS):
                self.children.append(self.start(path, name, user, limit, number))

    @staticmethod
    def start(path, name, user, limit, number):
        child = os.fork()
        if child:
            return child
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.alarm(int(limit) + PATIENCE)
            if user:
                os.setgroups([])
                os.setgid(user[1])
                os.setuid(user[0])
            os.nice(10)  # it is the daemon's fairness that is asked for, not the scheduler's
            draw = random.Random(number)
            act = FLOODS[name]() if name in HELD else FLOODS[name]
            while True:
                try:
                    act(path, draw)
                except OSError:
                    pass
        finally:
            os._exit(1)

    def stop(self):
        for child in self.children:
            os.kill(child, signal.SIGKILL)
        for child in self.children:
            os.waitpid(child, 0)


class Daemon:
    def __init__(self, pid):
        self.pid = pid
        self.descriptors_before, self.memory_before = self.descriptors(), self.memory()
        self.descriptors_most = self.memory_most = 0

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory(self):
        with open(f"/proc/{self.pid}/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS:"))

    def look(self):
        self.descriptors_most = max(self.descriptors_most, self.descriptors())
        self.memory_most = max(self.memory_most, self.memory())

    def is_back(self):
        return self.descriptors() <= self.descriptors_before


class Honest:
    """khien, as a person types it."""

    def __init__(self, khien, daemon):
        self.khien, self.daemon = khien, daemon
        self.answered, self.longest, self.bad = 0, 0.0, []

    def one(self, what, *arguments):
        start = time.monotonic()
        process = subprocess.Popen([*self.khien, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        while process.poll() is None and time.monotonic() - start < PATIENCE:
            self.daemon.look()
            time.sleep(0.02)
        if process.poll() is None:
            process.kill()
        said = process.communicate()[0]
        self.longest = max(self.longest, time.monotonic() - start)
        if process.returncode == 0:
            self.answered += 1
        else:
            self.bad.append(f"{what}: khien {arguments[0]}: exit {process.returncode}: {said.strip()[-200:]}")
            print("not ok", self.bad[-1], flush=True)

    def round(self, what):
        self.one(what, "status")
        self.one(what, "block", "198.51.100.77", "--yes", "--ref", "2/FLOOD")
        self.one(what, "unblock", "198.51.100.77")


def flood(honest, path, names, user, seconds):
    what = f"{' '.join(names)} by {'who may look' if user else 'root'}"
    before, start, longest = honest.answered, time.monotonic(), honest.longest
    honest.longest = 0.0
    swarm = Swarm(path, names, user, seconds + 6 * PATIENCE)
    try:
        while True:
            honest.round(what)
            if time.monotonic() - start >= seconds:
                break
    finally:
        swarm.stop()
    print(f"{what}: {honest.answered - before} answers to khien, the slowest after {honest.longest:.1f} s; so far up to {honest.daemon.descriptors_most} descriptors, "
          f"{honest.daemon.memory_most >> 20} MiB", flush=True)
    honest.longest = max(longest, honest.longest)


def main():
    seconds, path, khien, pid, looker = float(sys.argv[1]), sys.argv[2], sys.argv[3].split("|"), int(sys.argv[4]), (int(sys.argv[5]), int(sys.argv[6]))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    daemon = Daemon(pid)
    honest = Honest(khien, daemon)
    honest.round("before")
    daemon.descriptors_before, daemon.memory_before = daemon.descriptors(), daemon.memory()
    only = os.environ.get("FLOODS", "").split()
    rounds = [((name,), user) for name in only or FLOODS for user in (None, looker) if user or name in MISTAKES]
    if not only:
        rounds += [(MISTAKES, None), (tuple(FLOODS), looker)]
    for names, user in rounds:
        flood(honest, path, names, user, seconds)
    memory_first = daemon.memory_most
    for names, user in rounds[-1:] if only else [(("unread",), looker), rounds[-1]]:
        flood(honest, path, names, user, seconds)
    deadline = time.monotonic() + PATIENCE
    while not daemon.is_back() and time.monotonic() < deadline:
        time.sleep(0.1)
    locked_out, bad = len(honest.bad), list(honest.bad)
    if not daemon.is_back():
        bad.append(f"descriptors do not come back: {daemon.descriptors()}")
    if daemon.descriptors_most > daemon.descriptors_before + DESCRIPTORS:
        bad.append(f"{daemon.descriptors_most} descriptors")
    if daemon.memory_most > daemon.memory_before + MEMORY:
        bad.append(f"{daemon.memory_most} bytes of memory")
    if daemon.memory_most > memory_first + GROWS:
        bad.append(f"memory grows: {memory_first} bytes, then {daemon.memory_most}")
    print(f"figure floods_survived {len(rounds)}\nfigure flood_honest_answers {honest.answered}\nfigure flood_honest_locked_out {locked_out}")
    print(f"figure flood_slowest_answer_s {honest.longest:.1f}")
    print(f"figure flood_descriptors_before {daemon.descriptors_before}\nfigure flood_descriptors_most {daemon.descriptors_most}\nfigure flood_descriptors {daemon.descriptors()}")
    print(f"figure flood_rss_kib_before {daemon.memory_before >> 10}\nfigure flood_rss_kib_most {daemon.memory_most >> 10}\nfigure flood_rss_kib {daemon.memory() >> 10}")
    for line in bad:
        print("not ok", line)
    return len(bad) > 0


sys.exit(main())
