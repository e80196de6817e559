#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What khiend asks for is refused. Each call into the kernel (bpf(2), mapping, threads) and each of the disk of a push, a block and an undo fails in its turn
# (faults.py, which says what must hold); then descriptors are few, the disk is full but for a few pages, and read-only.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/lab.sh
. "$here/../e2e/lab.sh"
# shellcheck source=tests/e2e/check.sh
. "$here/../e2e/check.sh"
# shellcheck source=tests/torture/faults.lib
. "$here/faults.lib"
need_root

trap 'umount -l "$lab_dir/state" 2>/dev/null; lab_down' EXIT
mounted=1
faults_up
coarse=$([ -n "${QUICK:-}" ] && echo 7 || echo 1)
faults_run kernel "$coarse" ENOMEM
faults_run kernel "$((coarse * 3))" EPERM
faults_run disk "$coarse" EIO

# ---- Descriptors -----------------------------------------------------------------------------------

arrivals() { in_office awk '/^Udp: [0-9]/ { print $3 }' /proc/net/snmp; }
dropped() { # the listed host does not reach the office, its neighbour does
	local before
	before=$(arrivals)
	in_net "$lab_build/tests/frame" wan 2 203.0.113.7 192.0.2.57 445
	in_net "$lab_build/tests/frame" wan 1 203.0.113.8 192.0.2.57 445
	lab_wait "the packet of its neighbour" test "$(arrivals)" != "$before"
	[ "$(($(arrivals) - before))" = 1 ]
}
lab_daemon_stop TERM
started=0 refused=0
for files in 3 5 8 12 16 20 24 28 32 40 48 64; do
	nsenter --net="/run/netns/$lab_gw" prlimit --nofile=$files:$files "$lab_build/khiend" --config "$lab_dir/khien.conf" --state "$lab_dir/state" --run "$lab_dir/run" \
		--bpffs "$lab_bpffs" < /dev/null > "$lab_dir/out" 2>&1 &
	lab_daemon=$!
	while kill -0 "$lab_daemon" 2> /dev/null && [ ! -S "$lab_dir/run/control.sock" ]; do read -rt 0.05 <> <(:); done
	if kill -0 "$lab_daemon" 2> /dev/null; then
		started=$((started + 1))
		lab_daemon_stop TERM
	else
		wait "$lab_daemon" 2> /dev/null
		code=$?
		lab_daemon=
		refused=$((refused + 1))
		[ "$code" -le 2 ] || [ "$code" = 127 ] || not_ok "with $files descriptors it ends by itself" "exit $code: $(tail -n 3 "$lab_dir/out")"
	fi
	dropped || not_ok "with $files descriptors what was enforced goes on" "$(tail -n 3 "$lab_dir/out")"
done
is "with few descriptors it starts or says why not, and what was enforced goes on" 12 $((started + refused))
echo "figure descriptor_limits_survived $((started + refused))"
lab_launcher=()

# ---- A disk that is nearly full, and one that is read-only --------------------------------------------

mv "$lab_dir/state" "$lab_dir/kept"
mkdir "$lab_dir/state"
mount -t tmpfs -o size=4m tmpfs "$lab_dir/state" || mounted=
[ -n "$mounted" ] && cp -a "$lab_dir/kept/." "$lab_dir/state/"
lab_daemon_start || exit 1
state() { khien list --json | jq -r '.indicators[] | .value + " " + .state' | sort | md5sum; }
python3 -c 'for i in range(4000): print("2001:db8:777::%x" % (i * 6))' > "$lab_dir/long.txt"
before=$(state)
full=0 whole=0
for ((pages = 0; pages < ${QUICK:+120} + 0 || pages < 400; pages += ${QUICK:+40} + 10)); do
	dd if=/dev/zero of="$lab_dir/state/filler" bs=4k 2> /dev/null
	truncate -s "-$((pages * 4096 < $(stat -c %s "$lab_dir/state/filler") ? pages * 4096 : 0))" "$lab_dir/state/filler"
	code=0
	khien push --yes --ref 3/FULL "$lab_dir/long.txt" > "$lab_dir/out" 2>&1 || code=$?
	now=$(state)
	if [ "$code" = 0 ]; then
		[ "$now" != "$before" ] || not_ok "with $pages pages free: done, and is not"
		whole=$((whole + 1))
	else
		[ "$now" = "$before" ] || not_ok "with $pages pages free: neither whole nor nothing" "exit $code: $(tail -n 2 "$lab_dir/out")"
		full=$((full + 1))
	fi
	runs "with $pages pages free what is ordered is enforced (push: exit $code)" 0 khien verify
	rm -f "$lab_dir/state/filler"
	[ "$code" != 0 ] || khien undo > /dev/null
	[ "$(state)" = "$before" ] || { not_ok "with room again it is undone"; break; }
done
echo "figure full_disks_survived $((full + whole))"
is "full disks refused a push" True "$( ((full > 0)) && echo True)"

if mount -o remount,ro "$lab_dir/state"; then
	code=0
	khien push --yes --ref 3/FULL "$lab_dir/list.txt" > "$lab_dir/out" 2>&1 || code=$?
	is "read-only: a push fails" 1 "$code"
	contains "and says where" "$lab_dir/state" "$(cat "$lab_dir/out")"
	is "and nothing changed" "$before" "$(state)"
	runs "what is ordered is enforced" 0 khien verify
	runs "packets agree" 0 dropped
	lab_daemon_stop KILL
	runs "with the daemon dead too" 0 dropped
	in_gw timeout 60 "$lab_build/khiend" --config "$lab_dir/khien.conf" --state "$lab_dir/state" --run "$lab_dir/run" --bpffs "$lab_bpffs" < /dev/null > "$lab_dir/out" 2>&1 &
	lab_daemon=$!
	while kill -0 "$lab_daemon" 2> /dev/null && [ ! -S "$lab_dir/run/control.sock" ]; do read -rt 0.05 <> <(:); done
	kill "$lab_daemon" 2> /dev/null
	wait "$lab_daemon" 2> /dev/null
	lab_daemon=
	runs "a start on it goes on enforcing, whatever it says" 0 dropped
	mount -o remount,rw "$lab_dir/state"
	rm -f "$lab_dir/run/control.sock"
	lab_daemon_start || exit 1
	is "writable again: nothing was lost" "$before" "$(state)"
fi
runs "the chain holds" 0 khien history --verify
finish
