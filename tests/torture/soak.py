# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes for the soak, and what khiend takes meanwhile: soak.py SECONDS SOCKET KHIEN FOLDER PID LEDGER SHARED

Ten times a second, if the daemon is as fast, values are blocked or pushed and undone again, by the control protocol or by khien itself; SHARED is among
them each time. Each second the daemon's memory, descriptors, kernel maps and ledger are looked at. At the end they have to be flat. Prints figures; the
exit code is 1 when a change failed or something grew.
"""
import json
import os
import signal
import socket
import statistics
import struct
import subprocess
import sys
import time

RATE = 10  # changes a second
POOL = 1000  # addresses that come and go
SET = 100  # of them in one change
LETTERS = 20
RSS_SLACK = 20 << 20  # bytes that memory may have grown after the warm-up: the ledger's pages in memory (8 MiB at most), and up to three images of 4.2 MiB at once
MAP_PART = 0.05
LEDGER_PER_CHANGE = 16384  # bytes: what is written down of one change is kept for ever
LOG_MOST = 64 << 20  # bytes of the ledger's log


class Daemon:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)

    def take(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise EOFError("the daemon hung up")
            data += part
        return data

    def ask(self, op, **rest):
        text = json.dumps({"v": 1, "op": op, "lang": "en", **rest}).encode()
        self.socket.sendall(struct.pack("=I", len(text)) + text)
        return json.loads(self.take(struct.unpack("=I", self.take(4))[0]))


class Changes:
    """Each step is one change; an undo follows each block or push."""

    def __init__(self, daemon, khien, folder, shared):
        self.daemon, self.khien, self.folder, self.shared = daemon, khien, folder, shared
        self.made = self.pushes = self.failed = 0
        self.undo = None

    def values(self):
        first = self.made // 2 * 37
        return [self.shared] + [f"198.51.100.{(first + i) % 250}" if i % 2 else f"2001:db8:bad::{(first + i) % POOL:x}" for i in range(SET)]

    def push(self, values, letter):
        path = os.path.join(self.folder, "soak.txt")
        with open(path, "w") as file:
            file.write("\n".join(values) + "\n")
        done = subprocess.run([*self.khien, "push", "--yes", "--json", "--ref", letter, path], capture_output=True, text=True)
        self.pushes += 1
        return {"exit": done.returncode, "change": None, "text": done.stdout + done.stderr}

    def step(self):
        letter = f"{self.made // 2 % LETTERS}/SOAK"
        if self.undo is not None:
            reply = self.daemon.ask("undo", **self.undo)
            self.undo = None
        else:
            values = self.values()
            reply = self.push(values, letter) if self.made % 20 == 0 else self.daemon.ask("block", values=values, ref=letter)
            self.undo = {"change": reply["change"]} if reply.get("change") else {}
            if reply["exit"] not in (0, 3):
                self.undo = None
        if reply["exit"] not in (0, 3):
            self.failed += 1
            print("a change failed:", json.dumps(reply)[:500], flush=True)
        self.made += 1


def map_bytes(pid):
    """Of the maps that the daemon holds, and of those inside them."""
    ids = set()
    for name in os.listdir(f"/proc/{pid}/fdinfo"):
        try:
            with open(f"/proc/{pid}/fdinfo/{name}") as file:
                ids.update(int(line.split()[1]) for line in file if line.startswith("map_id:"))
        except FileNotFoundError:
            pass
    maps = {entry["id"]: entry for entry in json.loads(subprocess.run(["bpftool", "-j", "map", "show"], capture_output=True).stdout)}
    for outer in [number for number in ids if maps.get(number, {}).get("type") == "array_of_maps"]:
        dump = json.loads(subprocess.run(["bpftool", "-j", "map", "dump", "id", str(outer)], capture_output=True).stdout)
        ids.update(int.from_bytes(bytes(int(byte, 16) for byte in entry["value"]), sys.byteorder) for entry in dump if "value" in entry)
    return sum(int(maps[number]["bytes_memlock"]) for number in ids if number in maps), len(ids)


def size_of(path):
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


class Watch:
    def __init__(self, pid, ledger):
        self.pid, self.ledger, self.rows, self.maps = pid, ledger, [], []

    def look(self, changes):
        with open(f"/proc/{self.pid}/status") as file:
            rss = next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS:"))
        descriptors = len(os.listdir(f"/proc/{self.pid}/fd"))
        self.rows.append((changes, rss, descriptors, size_of(self.ledger), size_of(self.ledger + "-wal")))
        if len(self.rows) % 10 == 1:
            self.maps.append(map_bytes(self.pid))

    def quarters(self, rows, column, of=statistics.median):
        """Medians of the second and of the last quarter: before is the warm-up."""
        values = [row[column] for row in rows]
        quarter = max(1, len(values) // 4)
        return of(values[quarter : 2 * quarter] or values), of(values[-quarter:])

    def judge(self):
        bad = []
        rss = self.quarters(self.rows, 1)
        descriptors = self.quarters(self.rows, 2, min)  # at the moment of a change there are more
        maps = self.quarters(self.maps, 0)
        half = self.rows[len(self.rows) // 4 :]
        per_change = (half[-1][3] - half[0][3]) / max(1, half[-1][0] - half[0][0])
        log = max(row[4] for row in self.rows)
        if rss[1] > rss[0] + RSS_SLACK:
            bad.append(f"memory grew from {rss[0]} to {rss[1]} bytes")
        if descriptors[1] > descriptors[0]:
            bad.append(f"descriptors grew from {descriptors[0]} to {descriptors[1]}")
        if maps[1] > maps[0] * (1 + MAP_PART):
            bad.append(f"kernel maps grew from {maps[0]} to {maps[1]} bytes")
        if per_change > LEDGER_PER_CHANGE:
            bad.append(f"the ledger takes {per_change:.0f} bytes a change")
        if log > LOG_MOST:
            bad.append(f"the log of the ledger took {log} bytes")
        print(f"figure soak_rss_kib_before {rss[0] // 1024:.0f}\nfigure soak_rss_kib {rss[1] // 1024:.0f}")
        print(f"figure soak_descriptors_before {descriptors[0]:.0f}\nfigure soak_descriptors {descriptors[1]:.0f}")
        print(f"figure soak_map_kib_before {maps[0] // 1024:.0f}\nfigure soak_map_kib {maps[1] // 1024:.0f}\nfigure soak_maps {self.maps[-1][1]}")
        print(f"figure soak_ledger_kib {self.rows[-1][3] // 1024}\nfigure soak_ledger_bytes_per_change {per_change:.0f}\nfigure soak_log_kib_most {log // 1024}")
        return bad


def main():
    seconds, path, khien, folder, pid, ledger, shared = sys.argv[1:8]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    changes = Changes(Daemon(path), khien.split("|"), folder, shared)
    watch = Watch(int(pid), ledger)
    start = due = looked = time.monotonic()
    while time.monotonic() - start < float(seconds) or changes.undo is not None:
        changes.step()
        if time.monotonic() - looked >= 1:
            looked = time.monotonic()
            watch.look(changes.made)
        due = max(due + 1 / RATE, time.monotonic() - 1)  # a slow moment is caught up with, a slow minute is not
        time.sleep(max(0, due - time.monotonic()))
    bad = watch.judge()
    print(f"figure soak_changes {changes.made}\nfigure soak_pushes {changes.pushes}\nfigure soak_changes_per_second {changes.made / (time.monotonic() - start):.1f}")
    if changes.failed:
        bad.append(f"{changes.failed} changes failed")
    for line in bad:
        print("not ok", line)
    return 1 if bad else 0


sys.exit(main())
