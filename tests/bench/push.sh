#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A list pushed through the real khiend and khien in the laboratory of the end-to-end tests: time from the command to its end (enforced, and
# synced to disk), memory of the programs, emergency pushes of 1,000 values onto it, khien stats. One JSON object a line.
#
#   push.sh ENTRIES EMERGENCIES JSON-FILE
# shellcheck source-path=SCRIPTDIR/../e2e
set -uo pipefail
. "$(dirname "$0")/../e2e/check.sh"
. "$(dirname "$0")/../e2e/lab.sh"
need_root
entries=$1 emergencies=$2 out=$3
export LC_ALL=C.UTF-8
die() { echo "bench: $*" >&2; exit 1; }

KHIEN_LANG=en lab_up
python3 - "$lab_dir" "$lab_root" "$entries" "$emergencies" <<'PYTHON'
# Different random addresses that no shipped never-block rule names: one list, and the emergencies.
import glob, ipaddress, random, sys
folder, root, entries, emergencies = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
rules = []
for name in glob.glob(root + "/rules/never-block.d/*.list"):
    for line in open(name, encoding="utf-8"):
        word = line.split("#")[0].split()[:1]
        try:
            if word and "-" in word[0]:
                first, last = (int(ipaddress.IPv4Address(part)) for part in word[0].split("-"))
                rules.append((first, last))
            elif word:
                net = ipaddress.IPv4Network(word[0], strict=False)
                rules.append((int(net[0]), int(net[-1])))
        except ValueError:
            pass
rules.sort()
merged = []
for first, last in rules:
    if merged and first <= merged[-1][1]:
        merged[-1][1] = max(merged[-1][1], last)
    else:
        merged.append([first, last])
rng, wanted = random.Random(20260115), entries + 1000 * emergencies
chosen, at = [], 0
for address in sorted(rng.sample(range(1 << 24, 224 << 24), wanted + wanted // 4)):
    while at < len(merged) and merged[at][1] < address:
        at += 1
    if at == len(merged) or address < merged[at][0]:
        chosen.append(address)
rng.shuffle(chosen)
def write(name, part):
    with open(f"{folder}/{name}", "w") as out:
        out.writelines("%d.%d.%d.%d\n" % (a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255) for a in part)
write("list.txt", chosen[:entries])
for i in range(emergencies):
    write(f"emergency-{i}.txt", chosen[entries + 1000 * i:entries + 1000 * (i + 1)])
PYTHON

timed() { in_gw timeout -k 5 120 "$lab_build/tests/bench-timed" "$lab_build/khien" --socket "$lab_dir/run/control.sock" "$@"; }
peak() { sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$lab_daemon/status"; }
enforced() { khien status --json | json "d['counts']['enforced']"; }
median() { sort -n | sed -n "$((($1 + 1) / 2))p"; }

lab_daemon_start || die "khiend does not start"
sync
read -r push_ms client_kb code < <(timed push --yes --ref 1/BENCH "$lab_dir/list.txt")
[ "${code:-1}" = 0 ] || die "khien push of $entries lines ended with ${code:-nothing}"
[ "$(enforced)" = "$entries" ] || die "WRONG: $(enforced) of $entries values are enforced"
daemon_kb=$(peak)
read -r _ parse_kb _ < <("$lab_build/tests/bench-timed" sh -c '"$1" list en / < "$2" > /dev/null' sh "$lab_build/khien-parse" "$lab_dir/list.txt")
echo "pushed $entries lines in $push_ms ms; peak of khiend $((daemon_kb / 1024)) MB, khien $((client_kb / 1024)) MB and khien-parse $((parse_kb / 1024)) MB"

# An emergency comes alone, onto the list and nothing else: the one before is withdrawn, and the answer to `khien status` says that the daemon has
# put away the generation before.
for ((i = 0; i < emergencies; i++)); do
	khien status > /dev/null
	read -r ms _ code < <(timed push --yes --ref "$((i + 2))/BENCH" "$lab_dir/emergency-$i.txt")
	[ "${code:-1}" = 0 ] || die "an emergency push ended with ${code:-nothing}"
	[ "$(enforced)" = $((entries + 1000)) ] || die "WRONG: $(enforced) values are enforced after an emergency"
	[ "$(khien why "$(tail -n 1 "$lab_dir/emergency-$i.txt")" --json | json "d['verdict']")" = dropped ] || die "WRONG: an emergency value is not dropped"
	khien unblock --ref "$((i + 2))/BENCH" --note bench > /dev/null || die "an emergency cannot be withdrawn"
	echo "$ms"
done > "$lab_dir/times"
p99=$(sort -n "$lab_dir/times" | sed -n "$(((emergencies * 99 + 99) / 100))p")
p50=$(median "$emergencies" < "$lab_dir/times")
echo "emergency push of 1,000 values onto it: median ${p50:-none} ms, 99th percentile ${p99:-none} ms of $emergencies"

for _ in 1 2 3 4 5; do
	read -r ms _ code < <(timed stats)
	[ "${code:-1}" = 0 ] || die "khien stats ended with ${code:-nothing}"
	echo "$ms"
done > "$lab_dir/stats"
stats=$(median 5 < "$lab_dir/stats")
echo "khien stats: $stats ms"
printf '{"kind": "push", "entries": %d, "push_ms": %s, "push_peak_kb": %d, "emergency_p99_ms": %s, "emergency_median_ms": %s, "emergencies": %d, "stats_ms": %s, "daemon_peak_kb": %d, "client_peak_kb": %d}\n' \
	"$entries" "$push_ms" $((daemon_kb + client_kb + parse_kb)) "${p99:-null}" "${p50:-null}" "$emergencies" "$stats" "$daemon_kb" "$client_kb" >> "$out"
