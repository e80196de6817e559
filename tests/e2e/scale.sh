#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 200,000 mixed prefixes, generated from a seed: pushed, the daemon restarted, pushed again; verify agrees each time. A letter may cover
# 65,536 IPv4 addresses before its prefixes wait for review, so the list is what such lists are, mostly single addresses, and comes as five
# letters, as an administrator would push five feeds. After each step a third of a million random packets go through the attached programs:
# every verdict is the naive matcher's, and in the end every value has counted exactly its packets and bytes. Times are printed, never asserted.
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "$0")/check.sh"
. "$(dirname "$0")/lab.sh"
need_root
KHIEN_LANG=en lab_up
export LC_ALL=C.UTF-8
seed=${SEED:-20260115} letters=5

python3 - "$lab_dir" "$seed" "$letters" <<'PYTHON'
import ipaddress, random, sys
folder, seed, letters = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng, seen = random.Random(seed), set()
print("seed", seed)
# Well inside space that no never-block rule names: 45/8 and 2a0e::/16 stand for "somewhere abroad".
def ipv4(length):
    return ipaddress.ip_network(((45 << 24 | rng.getrandbits(24)) >> (32 - length) << (32 - length), length))
def ipv6(length):
    return ipaddress.ip_network((((0x2a0e << 112) | rng.getrandbits(112)) >> (128 - length) << (128 - length), length))
for number in range(1, letters + 1):
    with open(f"{folder}/feed-{number}.txt", "w") as out:
        lines = width = 0
        while lines < 200000 // letters:
            if lines % 2:
                net = ipv6(rng.choice([48, 56, 64, 64, 96, 127, 128, 128, 128]))
            else:
                net = ipv4(rng.choice([24, 25, 26, 27, 28, 29, 30, 31]) if rng.random() < 0.04 and width < 40000 else 32)
            if net in seen:
                continue
            seen.add(net)
            width += net.num_addresses if net.version == 4 else 0
            print(net if net.num_addresses > 1 else net.network_address, file=out)
            lines += 1
PYTHON

files=("$lab_dir"/feed-*.txt)
push_all() {
	local number=0 file code=0
	for file in "${files[@]}"; do
		number=$((number + 1))
		khien push --yes --json --ref "$number/SCALE" "$file" > "$lab_dir/reply-$number.json" || code=$?
	done
	return "$code"
}
count() { json "d['counts']['$1']" < "$lab_dir/reply-$2.json"; }
timed() { # description command...
	local what=$1 start=$EPOCHREALTIME code=0
	shift
	"$@" || code=$?
	python3 -c 'import sys; print("    %s: %.1f s" % (sys.argv[1], float(sys.argv[3]) - float(sys.argv[2])))' "$what" "$start" "$EPOCHREALTIME"
	return "$code"
}
verified() { khien verify --json > "$lab_dir/verify.json" && json "'%d %d %d %d' % (d['tried'], d['ordered'] - 200000, d['tried'] - d['enforced'], len(d['differences']))" < "$lab_dir/verify.json"; }
packets() { # seed
	in_gw "$lab_build/tests/packets" "$lab_bpffs" eth1 eth0 "${PACKETS:-334000}" "$1" "${files[@]}" > "$lab_dir/packets-$1" 2> "$lab_dir/verdicts-$1"
	local code=$?
	tail -n 5 "$lab_dir/verdicts-$1"
	return "$code"
}
counts_differ() { # what the packets must have counted, against what khien says; prints "values packets differences"
	khien list --json > "$lab_dir/list.json"
	python3 - "$lab_dir"/list.json "$lab_dir"/packets-* <<-'PYTHON'
		import json, sys
		want = {}
		for name in sys.argv[2:]:
		    for line in open(name):
		        value, packets, size = line.split()
		        old = want.get(value, (0, 0))
		        want[value] = (old[0] + int(packets), old[1] + int(size))
		rows = json.load(open(sys.argv[1]))["indicators"]
		have = {row["value"]: (row["packets"], row["bytes"]) for row in rows}
		wrong = [value for value in have if have[value] != want.get(value, (0, 0))] + [value for value in want if value not in have]
		for value in wrong[:5]:
		    print(value, "counted", have.get(value), "expected", want.get(value), file=sys.stderr)
		print(len(have), sum(packets for packets, _ in have.values()), len(wrong))
	PYTHON
}
orders() { khien status --json | json "d['counts']['enforced']"; }

is "the lists hold 200,000 different lines" 200000 "$(cat "${files[@]}" | sort -u | wc -l)"
timed "start" lab_daemon_start || exit 1
timed "push" push_all
is "pushed as $letters letters" 0 $?
is "every line is enforced" 200000 "$(orders)"
is "verify agrees, 100,000 addresses tried" "100000 0 0 0" "$(verified)"
timed "packets" packets 1
is "pushed: every random packet gets the naive matcher's verdict" 0 $?
number=$(khien status --json | json "d['generation']['number']")
timed "stop" lab_daemon_stop TERM
timed "restart" lab_daemon_start || exit 1
is "restarted: every line is enforced" 200000 "$(orders)"
is "restarted: verify agrees" "100000 0 0 0" "$(verified)"
timed "packets" packets 2
is "restarted: every random packet gets the naive matcher's verdict" 0 $?
known=$(khien history --json)
timed "push again" push_all
is "pushed again" 0 $?
is "pushed again: nothing is new" "40000 40000" "$(count enforce 1) $(count unchanged 1)"
is "pushed again: the history is as before" "$known" "$(khien history --json)"
is "pushed again: the same generation" "$number" "$(khien status --json | json "d['generation']['number']")"
out=$(khien push --yes --ref 1/SCALE "${files[0]}" 2>&1)
contains "and it says since when it is loaded" "$(date +%Y)" "$out"
is "pushed again: verify agrees" "100000 0 0 0" "$(verified)"
timed "packets" packets 3
is "pushed again: every random packet gets the naive matcher's verdict" 0 $?
is "every value has counted exactly its packets and bytes" "200000 $(awk '/^wrong/ { sum += $4 } END { print sum }' "$lab_dir"/verdicts-*) 0" "$(counts_differ)"
for address in "$(grep -m 1 -v '[:/]' "${files[0]}")" "$(grep -m 1 '::\|:.*:' "${files[1]}" | sed 's|/.*||')"; do
	is "$address is dropped" dropped "$(khien why "$address" --json | json "d['verdict']")"
done
runs "detach" 0 khien detach
finish
