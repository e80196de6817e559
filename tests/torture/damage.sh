#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The ledger is damaged at random offsets, again and again: a bit, a byte, a run of bytes, a page, cut off. khiend starts or refuses with what to do next, and in both
# cases what was enforced goes on; it never crashes; where it refuses, the file is left byte for byte. What it is made of: tests/unit/test_ledger_damage.c.
# SEED, ROUNDS.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/lab.sh
. "$here/../e2e/lab.sh"
# shellcheck source=tests/e2e/check.sh
. "$here/../e2e/check.sh"
need_root

KHIEN_LANG=en lab_up
rounds=${ROUNDS:-$([ -n "${QUICK:-}" ] && echo 15 || echo 300)} seed=${SEED:-1}
ledger=$lab_dir/state/ledger.db
lab_daemon_start || exit 1
khien block 203.0.113.7 --yes --ref 1/NEN > /dev/null || exit 1
for ((i = 0; i < 60; i++)); do echo "198.51.100.$i"; done > "$lab_dir/list.txt"
khien push --yes --ref 2/TORTURE "$lab_dir/list.txt" > /dev/null || exit 1
known=$(khien list --json | jq -r '.indicators[] | .value + " " + .state' | sort | md5sum)
lab_daemon_stop TERM
cp -a "$lab_dir/state" "$lab_dir/good"

damage() { # round
	python3 -c 'import random, sys
draw, path = random.Random(int(sys.argv[2]) * 1000003 + int(sys.argv[3])), sys.argv[1]
data = bytearray(open(path, "rb").read())
how, at = draw.randrange(5), draw.randrange(len(data))
if how == 0: data[at] ^= 1 << draw.randrange(8)
elif how == 1: data[at] = draw.randrange(256)
elif how == 2: data[at:at + 64] = draw.randbytes(len(data[at:at + 64]))
elif how == 3: data[at // 4096 * 4096:at // 4096 * 4096 + 4096] = draw.randbytes(4096)
else: del data[at:]
open(path, "wb").write(data)
print(["bit", "byte", "bytes", "page", "cut"][how], at)' "$ledger" "$seed" "$1"
}
arrivals() { in_office awk '/^Udp: [0-9]/ { print $3 }' /proc/net/snmp; }
came() { [ "$(arrivals)" != "$1" ]; }
passes() { # host
	local before
	before=$(arrivals)
	in_net "$lab_build/tests/frame" wan 1 "$1" 192.0.2.57 445
	in_net "$lab_build/tests/frame" wan 1 203.0.113.222 192.0.2.57 445
	lab_wait "the packet that is not listed" came "$before"
	[ "$(($(arrivals) - before))" != 1 ]
}

started=0 refused=0 differs=0 told=0
for ((round = 0; round < rounds; round++)); do
	rm -rf "$lab_dir/state"
	cp -a "$lab_dir/good" "$lab_dir/state"
	what="round $round, $(damage "$round")"
	sum=$(sha256sum < "$ledger")
	rm -f "$lab_dir/run/control.sock"
	nsenter --net="/run/netns/$lab_gw" "$lab_build/khiend" --config "$lab_dir/khien.conf" --state "$lab_dir/state" --run "$lab_dir/run" --bpffs "$lab_bpffs" \
		< /dev/null > "$lab_dir/out" 2>&1 &
	lab_daemon=$!
	while kill -0 "$lab_daemon" 2> /dev/null && [ ! -S "$lab_dir/run/control.sock" ]; do read -rt 0.02 <> <(:); done
	if kill -0 "$lab_daemon" 2> /dev/null; then
		started=$((started + 1))
		now=$(khien list --json 2> "$lab_dir/err" | jq -r '.indicators[] | .value + " " + .state' | sort | md5sum)
		khien history --verify > "$lab_dir/verified" 2>&1
		chain=$?
		khien verify > "$lab_dir/verified" 2>&1
		((chain == 0 && $? == 0)) || told=$((told + 1))
		if [ "$now" != "$known" ]; then
			differs=$((differs + 1))
			echo "$what: starts, and the list is another (chain $chain): $(cat "$lab_dir/verified" "$lab_dir/err" | head -n 3 | xargs)"
		elif passes 203.0.113.7; then
			not_ok "$what: the list is as before, and what is listed passes"
		fi
		kill -0 "$lab_daemon" 2> /dev/null || not_ok "$what: it lives on" "$(tail -n 3 "$lab_dir/out")"
		lab_daemon_stop KILL
	else
		wait "$lab_daemon" 2> /dev/null
		code=$?
		lab_daemon=
		refused=$((refused + 1))
		[ "$code" = 1 ] || not_ok "$what: it ends by itself" "exit $code: $(tail -n 3 "$lab_dir/out")"
		grep -q 'hint=' "$lab_dir/out" || not_ok "$what: says what to do" "$(tail -n 3 "$lab_dir/out")"
		[ "$sum" = "$(sha256sum < "$ledger")" ] || not_ok "$what: the file is left as it is"
		passes 203.0.113.7 && not_ok "$what: what was enforced goes on" "$(tail -n 3 "$lab_dir/out")"
	fi
done
echo "$refused times refused with what to do, $started times started ($told times a check tells, $differs times another list)"
is "damaged at random: started or refused, never a crash" "$rounds" $((started + refused))
echo "figure damaged_ledgers_survived $((rounds - checks_failed))"
echo "figure damaged_ledgers_refused $refused"
echo "figure damaged_ledgers_with_another_list $differs"
finish
