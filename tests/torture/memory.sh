#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# No memory: each allocation of a push, a block and an undo fails in its turn in khiend, its libraries included, and also all from there on (faults.py, which
# says what must hold). Then each allocation of khien: whatever it says, it does not crash, and the daemon is as it was.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/torture/part.lib
. "$here/part.lib"
# shellcheck source=tests/torture/faults.lib
. "$here/faults.lib"

faults_up
faults_run memory "$([ -n "${QUICK:-}" ] && echo 23 || echo 1)" ENOMEM

# ---- khien -----------------------------------------------------------------------------------------

known=$(khien list --json)
survived=0
client() { # N argument...
	local n=$1 code=0
	shift
	faults_arm memory "$n"
	# 20 s: hundreds of times what it takes; whoever turns round and round for want of memory is told of, and not waited for
	in_gw timeout 20 env LD_PRELOAD="$faults_library" KHIEN_FAULTS="$lab_dir/client" "$lab_build/khien" --socket "$lab_dir/run/control.sock" "$@" > "$lab_dir/out" 2>&1 < /dev/null || code=$?
	if ((code > 4)); then
		not_ok "khien $1 with allocation $n refused" "exit $code: $(tail -n 2 "$lab_dir/out")"
	else
		survived=$((survived + 1))
	fi
	faults_reached
}
sweep() { # step argument...
	local n step=$1
	shift
	for ((n = 1; n < 100000; n += step)); do client "$n" "$@" || break; done
	echo "khien $1: $((n - 1)) allocations"
}
truncate -s 4096 "$lab_dir/client"
coarse=$([ -n "${QUICK:-}" ] && echo 37 || echo 1)
sweep "$coarse" status
sweep "$coarse" list
sweep "$coarse" push --dry-run --ref 2/TORTURE "$lab_dir/list.txt"
is "the daemon is as it was" "$known" "$(khien list --json)"
echo "figure client_memory_failures_survived $survived"
runs "what is ordered is enforced" 0 khien verify
finish
