#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Kernels on which khiend cannot run: too old (as setarch tells it), or without BTF. Each gets a message that says so. After an upgrade of the
# kernel that refuses the programs, an alert names the last one that worked, also in khien status, until khiend runs again.
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "$0")/check.sh"
. "$(dirname "$0")/lab.sh"
need_root
KHIEN_LANG=en lab_up
export LC_ALL=C.UTF-8
khiend() { in_gw "$@" --config "$lab_dir/khien.conf" --state "$lab_dir/state" --run "$lab_dir/run" --bpffs "$lab_bpffs" 2>&1; }
old=(setarch --uname-2.6 "$lab_build/khiend")

out=$(khiend "${old[@]}" --check --load)
is "a kernel that is too old fails the check" 1 $?
contains "and is told so, with its number" "this kernel is too old: Linux 2.6." "$out"
contains "and what it takes" "6.1 or newer" "$out"
out=$(khiend unshare -m sh -c 'mount -t tmpfs none /sys/kernel/btf && exec "$@"' sh "$lab_build/khiend" --check --load)
is "a kernel without BTF fails the check" 1 $?
contains "and is told so" "this kernel has no BTF" "$out"
out=$(khiend "${old[@]}")
is "where none worked yet, khiend does not start" 1 $?
is "and names none" 0 "$(grep -c last-worked <<< "$out")"

lab_daemon_start || exit 1
runs "an order" 0 khien block 203.0.113.7 --yes --ref 1/TEST
is "the kernel is kept" "$(uname -r)" "$(cat "$lab_dir/state/kernel.worked")"
lab_daemon_stop TERM
out=$(khiend "${old[@]}")
is "after an upgrade that refuses, khiend does not start" 1 $?
contains "the alert names the last kernel that worked" "last-worked=$(uname -r)" "$(grep event=kernel-refused <<< "$out")"
out=$(khien status 2>&1)
is "khien status: no daemon" 4 $?
contains "says why" "this kernel is too old" "$out"
contains "and which kernel to boot" "the last kernel that worked is Linux $(uname -r)" "$out"
contains "and what still enforces" "STILL ENFORCING" "$(KHIEN_BPFFS=$lab_bpffs khien status 2>&1)"
lab_daemon_start || exit 1
is "on the kernel that works the alert is gone" 0 "$(find "$lab_dir/run" -name alert | wc -l)"
is "and it protects" protected "$(khien status --json | json "d['health']")"
runs "detach" 0 khien detach
finish
