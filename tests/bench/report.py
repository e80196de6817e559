#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the measuring programs wrote, one object a line, as a table for people, bench.json for machines, a picture, and the short table of
# README.md (BENCH.MD); with every target.
#
#   report.py ROWS BENCH.JSON BENCH.SVG BENCH.MD
import json
import os
import platform
import sys

import plot

MIB = 1 << 20


def machine():
    info = {"kernel": platform.release(), "architecture": platform.machine(), "cores": os.cpu_count()}
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                info["processor"] = value.strip()
                break
    with open("/proc/meminfo", encoding="utf-8") as lines:
        info["memory_mib"] = int(lines.readline().split()[1]) // 1024
    return info


class Rows:
    def __init__(self, path):
        with open(path, encoding="utf-8") as lines:
            self.all = [json.loads(line) for line in lines]

    def of(self, kind, **want):
        return [row for row in self.all if row["kind"] == kind and all(row.get(k) == v for k, v in want.items())]

    def one(self, kind, **want):
        found = self.of(kind, **want)
        return found[0] if found else None


def plain(row):
    return {key: value for key, value in row.items() if key != "kind"}


def merged_loads(rows):
    """One row for each length of the random list, whoever measured what."""
    names = ["compile_install_ms", "push_ms", "push_peak_kb", "emergency_p99_ms", "kernel_bytes", "nft_ms", "ipset_ms", "lpm_ms"]
    lengths = sorted({r["entries"] for r in rows.all if r["kind"] in ("load", "push") and r.get("list", "random") == "random"})
    result = []
    for entries in lengths:
        merged = {"entries": entries, **{name: None for name in names}}
        for row in rows.all:
            if row["kind"] in ("load", "push") and row["entries"] == entries and row.get("list", "random") == "random":
                merged.update({k: v for k, v in plain(row).items() if k != "list" and merged.get(k) is None})
        result.append(merged)
    return result


class Targets:
    """Each with what was measured; met is None where it was not."""

    def __init__(self):
        self.rows = []

    def add(self, name, wanted, value, met, shown, memory):
        self.rows.append({"target": name, "wanted": wanted, "value": value, "met": met, "shown": shown, "memory_allows": memory})

    def most(self, name, value, limit, unit="x", digits=2, memory=None):
        """memory: what memory allows (bench.h), where it has a say."""
        known = value is not None
        self.add(name, f"<= {limit:g}{unit}", value, value <= limit if known else None, f"{value:.{digits}f}{unit}" if known else "not measured", memory)

    def least(self, name, value, limit, unit="x", digits=2, memory=None):
        known = value is not None
        self.add(name, f">= {limit:g}{unit}", value, value >= limit if known else None, f"{value:.{digits}f}{unit}" if known else "not measured", memory)


def ratio(above, below):
    return above / below if above is not None and below else None


def allowed_ns(rows, row):
    """What memory leaves: the shipped program with no list, and what the limit waits for that it does not wait for where all is in the caches."""
    limits = [r["limit_ns"] for r in rows.of("lookup", family=row.get("family"), case="miss") if r.get("limit_ns")]
    if not limits or not row.get("limit_ns"):
        return None
    return row["floor_ns"] + max(row["limit_ns"] - min(limits), 0)


def lookup_targets(rows, targets):
    def look(entries, case, family="ipv4", name="random"):
        return rows.one("lookup", family=family, list=name, entries=entries, case=case) or {}

    def floor_target(name, row, limit):
        targets.most(f"{name}, over the floor", ratio(row.get("khien_ns"), row.get("floor_ns")), limit,
                     memory=ratio(allowed_ns(rows, row), row.get("floor_ns")))

    def trie_target(name, row):
        targets.least(f"{name}, the LPM trie over ours", ratio(row.get("lpm_ns"), row.get("khien_ns")), 5,
                      memory=ratio(row.get("lpm_ns"), allowed_ns(rows, row)))

    miss, hit = look(10**6, "miss"), look(10**6, "hit")
    floor_target("miss, 1 M IPv4", miss, 1.5)
    if miss.get("lpm_ns"):
        added = max(miss["khien_ns"] - miss["floor_ns"], 0.1)
        targets.least("miss, 1 M IPv4, added cost: the LPM trie's over ours", (miss["lpm_ns"] - miss["floor_ns"]) / added, 20, digits=1)
    floor_target("hit, 100 k IPv4", look(10**5, "hit"), 2.2)
    floor_target("hit, 1 M IPv4", hit, 8)
    trie_target("hit, 1 M IPv4", hit)
    floor_target("hit with a sighting, 1,000 pairs", rows.one("sighting") or {}, 4)
    for case, limit in (("miss", 2), ("hit", 4.5)):
        row = look(10**5, case, "ipv6", "random6")
        floor_target(f"{case}, 100 k IPv6", row, limit)
        trie_target(f"{case}, 100 k IPv6", row)
    hot = rows.one("hot") or {}
    targets.least("one hot indicator, two cores over one", ratio(hot.get("two_mpps"), hot.get("one_mpps")), 1.7)
    targets.most("miss, random IPv4, 1 M over 10 k", ratio(miss.get("khien_ns"), look(10**4, "miss").get("khien_ns")), 1.6)


def live_targets(rows, targets):
    for case, share in (("miss", 0.9), ("hit", 0.6)):
        row = rows.one("live", entries=10**6, case=case) or {}
        khien = row.get("khien_mpps")
        most = row.get("limit_mpps")
        targets.least(f"live, 1 M, {case}: of bare XDP drop", ratio(khien, row.get("bare_mpps")), share, memory=ratio(most, row.get("bare_mpps")))
        for name, limit in (("lpm", 4), ("nft", 5), ("ipset", 2)):
            other = row.get(name + "_mpps")
            targets.least(f"live, 1 M, {case}: over {name}", ratio(khien, other), limit, memory=ratio(most, other))


def load_targets(loads, rows, targets):
    by_entries = {row["entries"]: row for row in loads}
    million = by_entries.get(10**6, {})
    targets.most("compile and install 1 M, unsorted", million.get("compile_install_ms"), 100, " ms", 0)
    targets.most("compile and install 1 M, sorted", million.get("compile_install_sorted_ms"), 100, " ms", 0)
    targets.most("khien push of 1 M lines", million.get("push_ms"), 1500, " ms", 0)
    targets.most("khien push of 1 M lines, peak of all programs", ratio(million.get("push_peak_kb"), 1024), 200, " MiB", 0)
    name = f"emergency push onto 1 M, 99th percentile of {million.get('emergencies', 0)}"
    targets.most(name, million.get("emergency_p99_ms"), 150, " ms", 0)
    targets.most("kernel memory, 1 M IPv4, a generation", ratio(million.get("kernel_bytes"), MIB), 48, " MiB", 1)
    targets.most("khien stats with 1 M indicators", million.get("stats_ms"), 50, " ms", 1)
    hundred = by_entries.get(10**5, {})
    targets.most("memory, 1 M over 100 k (linear: 10)", ratio(million.get("kernel_bytes"), hundred.get("kernel_bytes")), 10.5, digits=1)
    targets.most("compile and install, 1 M over 100 k (linear: 10)", ratio(million.get("compile_install_ms"), hundred.get("compile_install_ms")),
                 10.5, digits=1)
    swaps = rows.one("swaps")
    if swaps:
        targets.most(f"{swaps['swaps']} generations swapped under live load: packets judged wrongly", swaps["wrong"], 0, "", 0)


def cell(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def print_rows(title, header, lines):
    print(title)
    widths = [max(len(str(line[i])) for line in [header, *lines]) for i in range(len(header))]
    for line in [header, *lines]:
        print("  " + "  ".join(str(v).ljust(w) if i < 2 else str(v).rjust(w) for i, (v, w) in enumerate(zip(line, widths))))
    print()


def print_tables(result):
    print_rows("One look-up, ns a packet (every timed packet's verdict checked)",
               ["list", "case", "entries", "harness", "floor", "Khiên", "limit", "LPM trie", "x floor", "LPM / Khiên"],
               [[f"{r['list']} {r['family']}", r["case"], cell(r["entries"]), cell(r["harness_ns"]), cell(r["floor_ns"]), cell(r["khien_ns"]),
                 cell(r["limit_ns"]), cell(r["lpm_ns"]), cell(ratio(r["khien_ns"], r["floor_ns"]), 2), cell(ratio(r["lpm_ns"], r["khien_ns"]), 1)]
                for r in result["lookup"] + result["sighting"]])
    names = ["bare", "khien", "limit", "lpm", "nft", "ipset"]
    print_rows("Live traffic, one core, Mpps (through: misses that go up the stack; bare is then no filter)",
               ["traffic", "", "entries", "bare", "Khiên", "limit", "LPM trie", "nft", "ipset"],
               [[r["case"], how, cell(r["entries"]), *[cell(r[n + "_mpps"], 2) for n in names]]
                for how, key in (("", "live"), ("through", "live_through")) for r in result[key]])
    print_rows("Loading, ms", ["entries", "", "compile+install", "push", "emergency p99", "peak MiB", "kernel MiB", "nft", "ipset", "LPM trie"],
               [[cell(r["entries"]), "", cell(r["compile_install_ms"]), cell(r["push_ms"]), cell(r["emergency_p99_ms"]),
                 cell(ratio(r["push_peak_kb"], 1024)), cell(ratio(r["kernel_bytes"], MIB), 1), cell(r["nft_ms"]), cell(r["ipset_ms"]), cell(r["lpm_ms"])]
                for r in result["load"]])
    word = {True: "met", False: "NOT met", None: "?"}
    print_rows("Targets (limit: what memory allows any matcher in the shipped program here; bench.h)", ["target", "wanted", "measured", "", "limit"],
               [[t["target"], t["wanted"], t["shown"], word[t["met"]], "" if t["memory_allows"] is None else f"{t['memory_allows']:.2f}x"]
                for t in result["targets"]])
    met = sum(1 for t in result["targets"] if t["met"])
    print(f"{met} of {len(result['targets'])} targets met. Machine: {result['machine'].get('processor', '?')}, "
          f"{result['machine']['cores']} cores, Linux {result['machine']['kernel']}.")


def short_table(result):
    """What README.md shows: random IPv4, from 10 k to the longest list."""
    looks = {(r["entries"], r["case"]): r for r in result["lookup"] if r["list"] == "random" and r["family"] == "ipv4"}
    live = {r["case"]: r for r in result["live"] if r["entries"] == 10**6}
    loads = {r["entries"]: r for r in result["load"]}
    lengths = [n for n in (10**4, 10**5, 10**6) if (n, "miss") in looks]
    lines = ["| one look-up, ns a packet | " + " | ".join(f"{n:,}" for n in lengths) + " |", "|---|" + "---:|" * len(lengths)]
    for case in ("miss", "hit"):
        for key, name in (("floor_ns", "floor: the shipped program, empty list"), ("khien_ns", "**Khiên**, all counters"),
                          ("limit_ns", "the least memory touched: no matcher, the limit"), ("lpm_ns", "kernel LPM trie")):
            lines.append(f"| {case}: {name} | " + " | ".join(cell(looks[n, case][key]) for n in lengths) + " |")
    names = (("bare", "XDP drop, no look-up"), ("khien", "**Khiên**"), ("limit", "no matcher, the limit"), ("lpm", "XDP, LPM trie"), ("ipset", "iptables, ipset"), ("nft", "nftables"))
    if live:
        lines += ["", "| live, one core, 1,000,000 addresses, Mpps | all listed | none listed |", "|---|---:|---:|"]
        lines += [f"| {name} | " + " | ".join(cell(live.get(case, {}).get(key + "_mpps"), 2) for case in ("hit", "miss")) + " |" for key, name in names]
    load = loads.get(10**6)
    if load:
        lines += ["", "| loading 1,000,000 addresses | |", "|---|---:|",
                  f"| **Khiên**: from memory to enforced | {cell(load['compile_install_ms'])} ms |",
                  f"| **Khiên**: `khien push` of a file, enforced and on disk | {cell(load['push_ms'])} ms |",
                  f"| **Khiên**: 1,000 more onto it, 99th percentile | {cell(load['emergency_p99_ms'])} ms |",
                  f"| LPM trie, batch calls | {cell(load['lpm_ms'])} ms |", f"| `ipset restore` | {cell(load['ipset_ms'])} ms |",
                  f"| `nft -f`, interval set | {cell(load['nft_ms'])} ms |"]
    return "\n".join(lines) + "\n"


def main():
    rows = Rows(sys.argv[1])
    loads, targets = merged_loads(rows), Targets()
    lookup_targets(rows, targets)
    live_targets(rows, targets)
    load_targets(loads, rows, targets)
    result = {
        "machine": machine(),
        "lookup": [plain(r) for r in rows.of("lookup")],
        "live": [plain(r) for r in rows.of("live")],
        "load": loads,
        "live_through": [plain(r) for r in rows.of("through")],
        "sighting": [plain(r) for r in rows.of("sighting")],
        "hot": [plain(r) for r in rows.of("hot")],
        "swaps": [plain(r) for r in rows.of("swaps")],
        "targets": targets.rows,
    }
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        json.dump(result, out, indent=1, ensure_ascii=False)
        out.write("\n")
    with open(sys.argv[3], "w", encoding="utf-8") as out:
        out.write(plot.picture(result))
    with open(sys.argv[4], "w", encoding="utf-8") as out:
        out.write(short_table(result))
    print_tables(result)


if __name__ == "__main__":
    main()
