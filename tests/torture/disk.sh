#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The disk of the ledger, a small ext4 file system, is full but for a few blocks, so that a push fails at each step of its way; is full to the last one while the daemon
# starts; and goes read-only under the daemon, as ext4 does after an error. Each time a push is whole, or nothing and says why; what is ordered is enforced, with the
# daemon dead too; and when the disk is well again nothing was lost.
#
# QUICK=1: 8 fillings, else about 60.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/torture/part.lib
. "$here/part.lib"

disk_down() {
	[ -n "$lab_daemon" ] && lab_daemon_stop KILL
	umount -l "$lab_dir/state" 2> /dev/null
	lab_down
}
KHIEN_LANG=en lab_up
trap disk_down EXIT
disk_mount() { mount -o loop "$lab_dir/disk" "$lab_dir/state"; }
truncate -s 24M "$lab_dir/disk"
{ mkfs.ext4 -q -m 0 -F "$lab_dir/disk" && disk_mount; } > "$lab_dir/out" 2>&1 || { echo "skipped: no ext4 on a loop device here: $(tail -n 1 "$lab_dir/out")"; exit 77; }
filler=$lab_dir/state/filler block=1024
lab_daemon_start || exit 1
khien block 203.0.113.7 --yes --ref 1/NEN > /dev/null || exit 1

fill() { # blocks that are left
	dd if=/dev/zero of="$filler" bs=$block 2> /dev/null
	truncate -s "-$(($1 * block))" "$filler"
	sync -f "$filler"
}

# ---- Full, but for some blocks -----------------------------------------------------------------------

python3 -c 'for i in range(4000): print("2001:db8:777::%x" % (i * 6))' > "$lab_dir/long.txt"
before=$(state)
full=0 whole=0 wrong=$checks_failed
pushed() { # what: a push that may fail
	local code=0 now
	khien push --yes --ref 3/FULL "$lab_dir/long.txt" > "$lab_dir/out" 2>&1 || code=$?
	now=$(state)
	case $code in
	0)
		[ "$now" != "$before" ] || not_ok "$1: done, and is not"
		whole=$((whole + 1))
		;;
	1)
		[ "$now" = "$before" ] || not_ok "$1: neither whole nor nothing" "$(tail -n 2 "$lab_dir/out")"
		grep -q "$lab_dir/state\|disk\|space" "$lab_dir/out" || not_ok "$1: says where and why" "$(tail -n 2 "$lab_dir/out")"
		full=$((full + 1))
		;;
	*) not_ok "$1: an answer" "exit $code: $(tail -n 2 "$lab_dir/out")" ;;
	esac
	khien verify > "$lab_dir/verified" 2>&1 || not_ok "$1: what is ordered is enforced (push: exit $code)" "$(head -n 2 "$lab_dir/verified")"
	return "$code"
}
if [ -n "${QUICK:-}" ]; then left=(0 1 8 40 120 400 1200 4000); else left=(0 1 2 3 4 {6..60..6} {80..1000..40} {1200..4000..200}); fi
for blocks in "${left[@]}"; do
	fill "$blocks"
	pushed "with $blocks blocks left"
	code=$?
	rm -f "$filler"
	[ "$code" != 0 ] || khien undo > "$lab_dir/out" 2>&1 || not_ok "with room again it is undone" "$(tail -n 2 "$lab_dir/out")"
	[ "$(state)" = "$before" ] || { not_ok "with $blocks blocks left: as before with room again"; break; }
done
echo "$full pushes found no room, $whole did"
is "a full disk: a push is whole, or nothing and says why" "$wrong" "$checks_failed"
is "both were seen" True "$( ((full > 0 && whole > 0)) && echo True)"
runs "packets agree" 0 dropped

# ---- Full to the last block: a start -----------------------------------------------------------------

lab_daemon_stop KILL
fill 0
dd if=/dev/zero of="$lab_dir/state/more" bs=1 2> /dev/null
lab_daemon_start || exit 1
is "a start on a full disk knows what is ordered" "$before" "$(state)"
runs "and enforces it" 0 khien verify
runs "packets agree" 0 dropped
pushed "on a full disk after a start"
is "a push fails" 1 $?
rm -f "$filler" "$lab_dir/state/more"
pushed "with room again"
is "a push is done" 0 $?
runs "and undone" 0 khien undo

# ---- Read-only ---------------------------------------------------------------------------------------

mount -o remount,abort "$lab_dir/state"
pushed "read-only"
is "read-only: a push fails" 1 $?
is "nothing changed" "$before" "$(state)"
runs "packets agree" 0 dropped
lab_daemon_stop KILL
runs "with the daemon dead too" 0 dropped
code=0
in_gw timeout 60 "$lab_build/khiend" --config "$lab_dir/khien.conf" --state "$lab_dir/state" --run "$lab_dir/run" --bpffs "$lab_bpffs" < /dev/null > "$lab_dir/out" 2>&1 || code=$?
is "a start on it ends by itself" 1 "$code"
contains "says where" "$lab_dir/state" "$(cat "$lab_dir/out")"
contains "and what to do" "hint=" "$(cat "$lab_dir/out")"
runs "and what was enforced goes on" 0 dropped
umount "$lab_dir/state"
e2fsck -p "$lab_dir/disk" > /dev/null 2>&1
disk_mount || exit 1
rm -f "$lab_dir/run/control.sock"
lab_daemon_start || exit 1
is "writable again: nothing was lost" "$before" "$(state)"
runs "what is ordered is enforced" 0 khien verify
runs "packets agree" 0 dropped
runs "the chain of the audit is whole" 0 khien history --verify
echo "figure full_disks_survived $((full + whole))"
echo "figure full_disks_refused $full"
((checks_failed)) && tail -n 20 "$lab_dir/khiend.log"
finish
