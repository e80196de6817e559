#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""khiend ends at each of its crash points, again and again; started by crash.sh in the namespace of the gateway.

Which points a scenario passes, and how often, is told by a run of it without a crash. Then, for each point and several of its passings: the world is put in order,
the point is armed, the scenario goes on until the daemon is dead, and
- with the daemon dead, a packet from what is always listed does not reach the office, and one from what never is does;
- after a restart the state is the one before or the one after, a packet agrees with it, `verify` and `audit-verify` do, the ledger can be read.
A point of the program that none of the crashes was at is a failure."""
import argparse
import collections
import ctypes
import os
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import time

from daemon import Gone, Push, ask

REF = "2/TORTURE"
LISTED, UNLISTED, ASKED = "203.0.113.7", "203.0.113.8", "198.51.100.9"  # always, never, by the list of the scenario
MARK = "203.0.113.222"  # never listed
MACHINE, PORT = "192.0.2.57", 445
OLDER = [
    "DROP TABLE audit; DROP TABLE unconfirmed; DROP TABLE sessions; DELETE FROM meta WHERE key LIKE 'audit%'; PRAGMA user_version = 5;",
    "ALTER TABLE sources DROP COLUMN kind; ALTER TABLE sources DROP COLUMN unmarked; ALTER TABLE sources DROP COLUMN proxy;"
    "ALTER TABLE sources DROP COLUMN proxy_credentials; PRAGMA user_version = 4;",
    "DROP TABLE sources; PRAGMA user_version = 3;",
    "DROP INDEX orders_active; PRAGMA user_version = 2;",
]


def socket_in(namespace, *kind):
    """A socket of another network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net", "rb") as own, open(f"/run/netns/{namespace}", "rb") as other:
        if libc.setns(other.fileno(), 0) < 0:
            raise OSError(ctypes.get_errno(), "setns")
        try:
            return socket.socket(*kind)
        finally:
            libc.setns(own.fileno(), 0)


class Packets:
    """Frames from the internet to a machine of the office, and which of them come."""

    def __init__(self, net, office):
        self.wire = socket_in(net, socket.AF_PACKET, socket.SOCK_RAW)
        self.wire.bind(("wan", 0))
        self.office = socket_in(office, socket.AF_INET, socket.SOCK_DGRAM)
        self.office.bind((MACHINE, PORT))
        self.office.settimeout(10)

    def send(self, source):
        udp = struct.pack("!HHHH", 40000, PORT, 12, 0) + b"tet!"
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, socket.inet_aton(source), socket.inet_aton(MACHINE))
        total = sum(struct.unpack("!10H", head))
        total = (total & 0xFFFF) + (total >> 16)
        head = head[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + head[12:]
        self.wire.send(bytes.fromhex("00005e005301" "00005e0053fe" "0800") + head + udp)

    def reach(self, *sources):
        """Which of them reach the machine. When the mark has come, the others have, or never will."""
        for source in (*sources, MARK):
            self.send(source)
        came = set()
        while MARK not in came:
            came.add(self.office.recvfrom(100)[1][0])
        return came - {MARK}


class World:
    def __init__(self, options):
        self.lab, self.bpffs, self.build = options.lab, options.bpffs, options.build
        self.programs = [f"{self.build}/crash/khiend", f"{self.build}/crash/khiend-upgraded"]
        self.program = 0
        self.crash = f"{self.lab}/crash"
        self.path = f"{self.lab}/run/control.sock"
        self.ledger = f"{self.lab}/state/ledger.db"
        self.log = open(f"{self.lab}/khiend.log", "ab")
        self.daemon = None

    # ---- The daemon ----

    def alive(self):
        return self.daemon is not None and self.daemon.poll() is None

    def launch(self):
        """Until it answers, or is dead."""
        self.daemon = subprocess.Popen(
            [self.programs[self.program], "--config", f"{self.lab}/khien.conf", "--state", f"{self.lab}/state", "--run", f"{self.lab}/run", "--bpffs", self.bpffs],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env={**os.environ, "KHIEN_CRASH": self.crash})
        end = time.monotonic() + 120
        while self.alive() and time.monotonic() < end:
            try:
                self.ask(op="audit", limit=1)
                return
            except (OSError, Gone):
                time.sleep(0.02)

    def up(self):
        if not self.alive():
            self.launch()
        if not self.alive():
            raise RuntimeError(f"khiend does not start: {self.last_words()}")

    def stop(self):
        if self.alive():
            self.daemon.send_signal(signal.SIGTERM)
            self.daemon.wait(60)

    def linger(self, seconds):
        """What goes on after an answer: the old list goes, the new one is kept on disk, counts are collected."""
        end = time.monotonic() + seconds
        while self.alive() and time.monotonic() < end:
            time.sleep(0.02)

    def last_words(self):
        with open(f"{self.lab}/khiend.log", encoding="utf-8", errors="replace") as log:
            return " / ".join(log.read().splitlines()[-3:])

    def arm(self, text):
        with open(self.crash + ".new", "w", encoding="ascii") as file:
            file.write(text + "\n")
        os.rename(self.crash + ".new", self.crash)

    def disarm(self):
        try:
            os.unlink(self.crash)
        except FileNotFoundError:
            pass

    def sql(self, script):
        database = sqlite3.connect(self.ledger)
        database.executescript(script)
        database.commit()
        database.close()

    # ---- What it says ----

    def ask(self, **request):
        return ask(self.path, request)

    def state(self):
        rows, after = [], 0
        while True:
            reply = self.ask(op="list", limit=5000, after=after)
            rows += [f"{row['value']} {row['state']}" for row in reply["indicators"]]
            after = reply.get("next", 0)
            if not after:
                return tuple(sorted(rows))

    def wipe_pins(self):
        """As a reboot does."""
        for folder, _, files in os.walk(self.bpffs, topdown=False):
            for name in files:
                os.unlink(f"{folder}/{name}")
            if folder != self.bpffs:
                os.rmdir(folder)

    def wipe_state(self):
        shutil.rmtree(f"{self.lab}/state")
        os.mkdir(f"{self.lab}/state", 0o700)


class Torture:
    def __init__(self, options):
        self.world = World(options)
        self.packets = Packets(options.net, options.office)
        self.options = options
        self.quick = options.crashes == 0
        self.streamer = None
        self.crashes = self.unreached = self.wrong = self.old = 0
        self.crashed = collections.Counter()
        self.seen = collections.defaultdict(collections.Counter)
        short, longer = f"{options.lab}/short.txt", f"{options.lab}/long.txt"
        with open(short, "w", encoding="ascii") as file:
            file.writelines(f"198.51.100.{i}\n" for i in range(40))
        with open(longer, "w", encoding="ascii") as file:
            file.writelines(f"2001:db8:777::{i * 6:x}\n" for i in range(10500))
            file.write(ASKED + "\n")
        khien = f"{options.build}/khien"
        self.short, self.long = Push(khien, ["--ref", REF, short]), Push(khien, ["--ref", REF, longer])

    def complain(self, what):
        print(f"not ok {what}", flush=True)
        self.wrong += 1

    # ---- Scenarios: what puts the world in order, what is done ----

    def empty(self):
        self.world.up()
        for _ in range(4):
            if self.world.state() == self.states["empty"]:
                return
            self.world.ask(op="confirm")  # what waits would come back in the middle of another scenario
            self.world.ask(op="unblock", ref=REF)
        raise RuntimeError("cannot get back to the beginning")

    def pushed(self, push=None, **more):
        self.empty()
        reply = (push or self.short)(self.world.path, **more)
        if reply["exit"] != 0:
            raise RuntimeError(f"not pushed: {reply}")

    def push(self):
        self.short(self.world.path, dry_run=True)
        self.short(self.world.path)
        self.world.linger(4)

    def push_tried(self):
        self.short(self.world.path, confirm_within=300)
        self.world.linger(1)

    def push_long(self):
        self.long(self.world.path)
        self.world.linger(1)

    def undo(self):
        self.world.ask(op="undo")
        self.world.linger(1)

    def confirm(self):
        self.world.ask(op="confirm")
        self.world.linger(1)

    def start(self):
        self.world.launch()
        self.world.linger(1)

    def detach(self):
        self.world.ask(op="detach")
        self.world.stop()
        self.world.launch()

    def tried_too_long(self):
        self.pushed(confirm_within=300)
        self.world.stop()
        self.world.sql("UPDATE unconfirmed SET until = CAST(strftime('%s') AS INTEGER) - 1 WHERE ended_by = 0")

    def past_its_end(self):
        self.pushed(ttl=3600)
        self.world.stop()
        self.world.sql("UPDATE orders SET expires = CAST(strftime('%s') AS INTEGER) - 1 WHERE expires > 0 AND state = 0")

    def to_be_upgraded(self):
        self.pushed()
        self.world.stop()
        self.world.program ^= 1

    def to_be_migrated(self):
        self.pushed()
        self.world.stop()
        self.world.sql("".join(OLDER[: self.old % len(OLDER) + 1]))
        self.old += 1

    def rebooted(self):
        self.pushed()
        self.world.linger(4)  # the list is kept on disk
        self.world.stop()
        self.world.wipe_pins()

    def new(self):
        self.world.stop()
        self.world.wipe_pins()
        self.world.wipe_state()

    def begin(self):
        self.world.launch()
        self.world.ask(op="block", values=[LISTED], ref="1/NEN")

    def scenarios(self):
        """name: (order, act, state before, state after, plays a reboot)"""
        return {
            "push": (self.empty, self.push, "empty", "short", False),
            "push-to-be-confirmed": (self.empty, self.push_tried, "empty", "short", False),
            "undo": (self.pushed, self.undo, "short", "empty", False),
            "confirm": (lambda: self.pushed(confirm_within=300), self.confirm, "short", "short", False),
            "take-back": (self.tried_too_long, self.start, "short", "empty", False),
            "expiry": (self.past_its_end, self.start, "short", "empty", False),
            "upgrade": (self.to_be_upgraded, self.start, "short", "short", False),
            "migration": (self.to_be_migrated, self.start, "short", "short", False),
            "push-long": (self.empty, self.push_long, "empty", "long", False),
            "undo-long": (lambda: self.pushed(self.long), self.undo, "long", "empty", False),
            "reboot": (self.rebooted, self.start, "short", "short", True),
            "detach": (self.pushed, self.detach, "short", "short", True),
            "beginning": (self.new, self.begin, "nothing", "empty", True),
        }

    # ---- One crash ----

    def check_dead(self, what):
        came = self.packets.reach(LISTED, UNLISTED)
        if LISTED in came:
            self.complain(f"{what}: what is listed passes while the daemon is dead")
        if UNLISTED not in came:
            self.complain(f"{what}: what was never listed does not pass while the daemon is dead")

    def check_alive(self, name, what):
        _, _, before, after, _ = self.scenarios()[name]
        now = self.world.state()
        side = "before" if now == self.states[before] else "after" if now == self.states[after] else None
        self.seen[name][side] += 1
        if not side:
            self.complain(f"{what}: neither the state before nor the one after: {len(now)} orders: {now[:3]}")
        listed = any(row.startswith(ASKED + " ") for row in now)
        if (ASKED in self.packets.reach(ASKED)) == listed:
            self.complain(f"{what}: {ASKED} is {'listed, and passes' if listed else 'not listed, and does not pass'}")
        for op in ("verify", "audit-verify"):
            reply = self.world.ask(op=op)
            if reply["exit"] != 0:
                self.complain(f"{what}: {op}: {str(reply)[:300]}")
        if len(self.world.ask(op="status")["unconfirmed"]) > 1:
            self.complain(f"{what}: waits twice")

    def act(self, act):
        """Until it is done or the daemon dead: that takes a while, with all its memory."""
        try:
            act()
            self.world.ask(op="audit", limit=1)
        except (Gone, OSError):
            self.world.daemon.wait(60)

    def crash_at(self, name, point, number):
        order, act, _, _, reboot = self.scenarios()[name]
        what = f"{name}, {point} {number}"
        try:
            order()
            self.world.arm(f"{point} {number}")
            self.act(act)
            self.world.disarm()
            self.act(lambda: None)  # an answer comes before the point after it: that one is done, or the daemon dead, when another has come
            if self.world.alive():
                self.unreached += 1
            else:
                if self.world.daemon.wait() != -signal.SIGKILL:
                    self.complain(f"{what}: ended by itself ({self.world.daemon.returncode}): {self.world.last_words()}")
                self.crashes += 1
                self.crashed[point] += 1
                if not reboot:
                    self.check_dead(what)
            self.world.up()
            self.check_alive(name, what)
            if name == "beginning":
                self.world.ask(op="block", values=[LISTED], ref="1/NEN")
        except (RuntimeError, OSError, Gone) as why:
            self.world.disarm()
            self.complain(f"{what}: {why!r}")
            self.world.up()  # or there is nothing to go on with

    def run(self, name, each):
        if self.options.scenarios and name not in self.options.scenarios:
            return
        world = self.world
        order, act, _, after, _ = self.scenarios()[name]
        order()
        trace = world.crash + ".trace"
        if os.path.exists(trace):
            os.unlink(trace)
        world.arm("trace")
        self.act(act)
        world.disarm()
        world.up()
        if world.state() != self.states[after]:
            self.complain(f"{name}: without a crash the state is not the one after")
        with open(trace, encoding="ascii") as file:
            points = collections.Counter(file.read().split())
        for point, count in sorted(points.items()):
            if self.quick and self.crashed[point]:
                continue
            numbers = {(count + 1) // 2} if each == 1 else {1 + i * (count - 1) // (each - 1) for i in range(each)}
            for number in sorted(numbers):
                self.crash_at(name, point, number)
        print(f"{name}: {len(points)} points, {dict(self.seen[name])}; so far {self.crashes} crashes, {self.wrong} wrong, {time.monotonic() - self.began:.0f} s", flush=True)

    # ---- All of them ----

    def stream(self):
        self.streamer = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{self.options.office}", f"{self.options.build}/tests/stream", "run", "36000", "5000", LISTED, "203.0.113.200", "5"],
            stdout=subprocess.PIPE, text=True)

    def stream_end(self):
        self.streamer.send_signal(signal.SIGINT)
        words = self.streamer.communicate(timeout=60)[0].split()
        count = dict(zip(words[::2], map(int, words[1::2])))
        print(f"stream: {count}")
        if count["lost"]:
            self.complain(f"{count['lost']} unlisted packets of {count['sent']} were lost")
        if count["listed-answered"]:
            self.complain(f"{count['listed-answered']} listed packets of {count['listed-sent']} passed")
        if count["sent"] < 1000 or count["listed-sent"] < 1000:
            self.complain("no traffic")
        print(f"figure packets_through_crashes {count['sent'] + count['listed-sent']}")

    def learn_states(self):
        world, self.states = self.world, {}
        world.up()
        self.states["nothing"] = world.state()
        world.ask(op="block", values=[LISTED], ref="1/NEN")
        self.states["empty"] = world.state()
        for name, push in (("short", self.short), ("long", self.long)):
            reply = push(world.path)
            self.states[name] = world.state()
            if reply["exit"] != 0 or world.ask(op="undo")["exit"] != 0 or world.state() != self.states["empty"]:
                raise RuntimeError(f"cannot push and undo: {reply}")

    def all(self):
        self.began = time.monotonic()
        self.learn_states()
        self.stream()
        reboots = [name for name, scenario in self.scenarios().items() if scenario[4]]
        others = [name for name in self.scenarios() if name not in reboots]
        each = 1 if self.quick else 2
        while True:
            for name in others:
                self.run(name, each)
            if self.quick or self.options.scenarios or self.crashes >= self.options.crashes or each > 6:
                break
            each += 1
        self.stream_end()
        for name in reboots:
            self.run(name, 1 if self.quick else 2)
        self.world.stop()
        listed = subprocess.run([self.world.programs[0]], env={**os.environ, "KHIEN_CRASH_LIST": "1"}, capture_output=True, text=True, check=True).stdout.split()
        missing = [point for point in listed if not self.crashed[point]]
        if missing and not self.options.scenarios:
            self.complain(f"crash points that no crash was at: {' '.join(missing)}")
        if self.unreached:
            print(f"{self.unreached} times the passing that was meant did not come")
        print(f"figure crash_points {len(listed)}")
        print(f"figure crashes_survived {max(self.crashes - self.wrong, 0)}")
        return self.wrong > 0


def main():
    parser = argparse.ArgumentParser()
    for name in ("build", "lab", "bpffs", "net", "office"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--crashes", type=int, default=0, help="so many at least; 0: each point once")
    parser.add_argument("--scenarios", type=str.split, default=[], help="only these")
    torture = Torture(parser.parse_args())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    try:
        return torture.all()
    finally:
        for process in (torture.world.daemon, torture.streamer):
            if process and process.poll() is None:
                process.kill()
                process.wait()


if __name__ == "__main__":
    sys.exit(main())
