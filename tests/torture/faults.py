#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the N-th call of a kind fail in khiend (faults.c) while it answers a request, for N = 1, 2, 3 ... until one is answered without coming to the failure.

faults.py CONTROL SOCKET KHIEN LIST KIND STEP [ERRNO]

Each time: the daemon lives; the change was made whole or not at all, and the answer, where there is one, tells which; what is enforced is what is ordered; the
chain of the audit holds. At the end it still keeps time: an order that ends in two seconds does. Prints figures; ends with 1 when anything was wrong."""
import errno
import mmap
import os
import struct
import sys
import time

from daemon import Gone, Push, ask

KINDS = {"none": 0, "memory": 1, "kernel": 2, "disk": 3}
REF = "2/TORTURE"


class Control:
    """The page shared with faults.c."""

    def __init__(self, path):
        with open(path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), 4096)

    def arm(self, kind, countdown, error, more):
        self.page[4:32] = struct.pack("=iqQI", error, countdown, 0, more) + b"\0" * 4
        self.page[0:4] = struct.pack("=I", KINDS[kind])

    def disarm(self):
        """How many calls failed."""
        self.page[0:4] = struct.pack("=I", 0)
        return struct.unpack("=Q", self.page[16:24])[0]


class Run:
    def __init__(self, control, path, khien, listed, kind, step, error):
        self.control, self.path, self.kind, self.step, self.error = Control(control), path, kind, step, error
        self.push = Push(khien, ["--ref", REF, listed])
        self.failures = self.refused = self.done = self.silent = self.wrong = 0

    def state(self):
        reply = ask(self.path, {"op": "list", "limit": 5000})
        return sorted(f"{row['value']} {row['state']} {row['action']}" for row in reply["indicators"])

    def complain(self, what, reply=None):
        print(f"not ok {what}: {str(reply)[:400]}", flush=True)
        self.wrong += 1

    def whole(self, what):
        reply = ask(self.path, {"op": "verify"})
        if reply["exit"] != 0:
            self.complain(f"{what}: what is enforced is not what is ordered", reply)
        reply = ask(self.path, {"op": "audit-verify"})
        if reply["exit"] != 0:
            self.complain(f"{what}: the chain", reply)

    def one(self, name, act, before, after, n, more):
        """Fails the n-th; True: it was reached."""
        if os.environ.get("VERBOSE"):
            print(n, flush=True)
        what = f"{self.kind} {name} {n}{' and all after it' if more else ''}"
        reply = None
        self.control.arm(self.kind, n, self.error, more)
        try:
            reply = act()
        except Gone:
            self.silent += 1
        reached = self.control.disarm()
        self.failures += reached > 0
        now = self.state()
        if now not in (before, after):
            self.complain(f"{what}: neither the state before nor the one after", reply)
        elif reply is not None and reply["exit"] in (0, 3) and now != after:
            self.complain(f"{what}: said to be done, and is not", reply)
        elif reply is not None and reply["exit"] not in (0, 3) and now != before:
            self.complain(f"{what}: said to have failed, and is done", reply)
        if reply is not None and reply["exit"] not in (0, 3):
            self.refused += 1
            if not reply.get("error", {}).get("text"):
                self.complain(f"{what}: failed without a cause", reply)
        elif reply is not None:
            self.done += 1
        self.whole(what)
        return reached > 0

    def back(self, state, act):
        """Without failures."""
        if self.state() == state:
            return
        reply = act()
        if self.state() != state:
            raise SystemExit(f"not ok cannot get back: {reply}")

    def sweep(self, name, there, back, more=0):
        """Fails each call of `there`; `back` goes back, and is not disturbed."""
        before = self.state()
        there()
        after = self.state()
        self.back(before, back)
        n = 1
        while self.one(name, there, before, after, n, more):
            self.back(before, back)
            n += self.step
        self.back(before, back)
        print(f"{self.kind} {name}{' (all from there on)' if more else ''}: {n - 1} calls, of these {self.failures} failed so far, {self.wrong} wrong", flush=True)

    def keeps_time(self):
        ask(self.path, {"op": "block", "values": ["203.0.113.99"], "ttl": 2})
        for _ in range(600):
            if not any("203.0.113.99 enforced" in row for row in self.state()):
                return
            time.sleep(0.1)
        self.complain("an order does not end any more")


def main(control, path, khien, listed, kind, step, error="EIO"):
    run = Run(control, path, khien, listed, kind, int(step), getattr(errno, error))
    push = lambda: run.push(path)
    undo = lambda: ask(path, {"op": "undo"})
    block = lambda: ask(path, {"op": "block", "values": ["198.51.100.200", "198.51.100.201"], "ref": "1/NEN"})
    unblock = lambda: ask(path, {"op": "unblock", "values": ["198.51.100.200", "198.51.100.201"]})
    again = lambda: run.push(path)
    run.sweep("push", push, undo)
    run.sweep("push", push, undo, more=1000000)
    run.sweep("block", block, unblock)
    push()
    run.sweep("undo", undo, again)
    run.back([row for row in run.state() if "198.51.100." not in row], lambda: ask(path, {"op": "unblock", "ref": REF}))
    run.keeps_time()
    print(f"{kind}: {run.refused} times refused with the cause, {run.done} times done all the same, {run.silent} times no answer")
    print(f"figure {kind}_{error.lower()}_survived {run.failures - run.wrong}")
    return run.wrong > 0


if __name__ == "__main__":
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    sys.exit(main(*sys.argv[1:]))
