#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The ledger is damaged at random offsets, again and again: a bit, a byte, a run of bytes, a page, cut off; the file itself, or the log beside it that a crash left
# (without it is tests/unit/test_ledger_damage.c). khiend starts, or refuses with what to do next. It never crashes; where it refuses, the files are left byte for byte
# and what was enforced goes on; where it starts, what its list says is enforced, and a list that is not the one before shows in a check.
#
# QUICK=1: 50 seconds, else eight minutes; DAMAGE_SECONDS=N; SEED=N; ROUND=N: only this one.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/torture/part.lib
. "$here/part.lib"

KHIEN_LANG=en lab_up
seconds=${DAMAGE_SECONDS:-$([ -n "${QUICK:-}" ] && echo 50 || echo 480)} seed=${SEED:-1}
ledger=$lab_dir/state/ledger.db
lab_daemon_start || exit 1
khien block 203.0.113.7 --yes --ref 1/NEN > /dev/null || exit 1
for ((i = 0; i < 60; i++)); do echo "198.51.100.$i"; done > "$lab_dir/list.txt"
khien push --yes --ref 2/TORTURE "$lab_dir/list.txt" > /dev/null || exit 1
known=$(in_state)
lab_daemon_stop KILL # the log stays
[ -s "$ledger-wal" ] || { not_ok "there is a log to damage"; finish; }
cp -a "$lab_dir/state" "$lab_dir/with-log"
lab_daemon_start || exit 1
lab_daemon_stop TERM
cp -a "$lab_dir/state" "$lab_dir/alone"

damage() { # round: damages a file, says which and how
	python3 -c 'import os, random, sys
draw, path = random.Random(int(sys.argv[2]) * 1000003 + int(sys.argv[3])), sys.argv[1]
if os.path.exists(path + "-wal") and draw.random() < 0.5: path += "-wal"
data = bytearray(open(path, "rb").read())
how, at = draw.randrange(5), draw.randrange(len(data))
if how == 0: data[at] ^= 1 << draw.randrange(8)
elif how == 1: data[at] = draw.randrange(256)
elif how == 2: data[at:at + 64] = draw.randbytes(len(data[at:at + 64]))
elif how == 3: data[at // 4096 * 4096:at // 4096 * 4096 + 4096] = draw.randbytes(4096)
else: del data[at:]
open(path, "wb").write(data)
print(os.path.basename(path), ["bit", "byte", "bytes", "page", "cut"][how], at)' "$ledger" "$seed" "$1"
}
passes() { # host: does a packet of it reach the office?
	local count
	count=$(reach "$1")
	[ -n "$count" ] || not_ok "$what: what is not listed passes"
	[ "${count:-0}" != 0 ]
}
sums() { cat "$ledger" "$ledger-wal" 2> /dev/null | sha256sum; }

started=0 refused=0 before=0 told=0 silent=0
refuses() { # it has ended by itself
	refused=$((refused + 1))
	[ "$ended" = 1 ] || not_ok "$what: it ends by itself" "exit $ended: $(tail -n 3 "$lab_dir/out")"
	grep -q 'hint=' "$lab_dir/out" || not_ok "$what: says what to do" "$(tail -n 3 "$lab_dir/out")"
	[ "$sum" = "$(sums)" ] || not_ok "$what: the files are left as they are"
	passes 203.0.113.7 && not_ok "$what: what was enforced goes on" "$(tail -n 3 "$lab_dir/out")"
}
starts() {
	local now code=0 chain=0 health
	started=$((started + 1))
	now=$(in_state 2> "$lab_dir/err") || now=
	khien history --verify > "$lab_dir/verified" 2>&1 || chain=$?
	khien verify >> "$lab_dir/verified" 2>&1 || code=$?
	health=$(khien status --json | json "d['health']")
	if [ "$now" = "$known" ]; then
		before=$((before + 1))
		passes 203.0.113.7 && not_ok "$what: the list is as before, and what is listed passes"
		[ "$code" = 0 ] || not_ok "$what: the list is as before, and is not enforced" "$(head -n 3 "$lab_dir/verified")"
	elif ((chain || code)) || [ -z "$now" ] || [ "$health" != protected ] || grep -Eq 'event=(ledger|image|list)-' "$lab_dir/out"; then
		told=$((told + 1))
	else
		silent=$((silent + 1))
		not_ok "$what: another list, and no check tells" "$(diff <(tr , '\n' <<< "$known") <(tr , '\n' <<< "$now") | head -n 4 | xargs)"
	fi
	kill -0 "$lab_daemon" 2> /dev/null || not_ok "$what: it lives on" "$(tail -n 3 "$lab_dir/out")"
	lab_daemon_stop KILL
}

# What is in force is again what the good ledger orders: a round that started may have installed another list.
as_it_was() {
	find "$lab_bpffs" -depth -delete
	rm -rf "$lab_dir/state"
	cp -a "$lab_dir/alone" "$lab_dir/state"
	lab_daemon_start || exit 1
	lab_daemon_stop KILL
}
rounds=0 changed=
end=$((SECONDS + seconds))
for ((round = ${ROUND:-0}; SECONDS < end; round++)); do
	[ -z "$changed" ] || as_it_was
	rm -rf "$lab_dir/state"
	cp -a "$lab_dir/$( ((round % 2)) && echo with-log || echo alone)" "$lab_dir/state"
	what="round $round, $(damage "$round")"
	sum=$(sums)
	code=0
	try_start || code=$?
	case $code in
	0) starts; changed=1 ;;
	1) refuses; changed= ;;
	*) not_ok "$what: it starts or ends"; continue ;;
	esac
	rounds=$((rounds + 1))
	[ -z "${ROUND:-}" ] || { cat "$lab_dir/out" "$lab_dir/verified"; break; }
done
echo "$refused times refused with what to do; $started times started, $before of them as before, $told with another list that a check tells of"
is "damaged at random: started or refused, never a crash" "$rounds" $((started + refused))
echo "figure damaged_ledgers $rounds"
echo "figure damaged_ledgers_refused $refused"
echo "figure damaged_ledgers_as_before $before"
echo "figure damaged_ledgers_told $told"
echo "figure damaged_ledgers_silent $silent"
finish
