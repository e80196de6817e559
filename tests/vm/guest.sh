#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs in the guest, as root of a whole machine: the tests that depend on the kernel, one line each on the console, logs in the host's build/vm/log.
# What is sent to the console with "vm: " before it, tests/vm/run shows.
set -u
# shellcheck source=/dev/null
. /run/vm-log/settings
cd "$VM_TREE" || exit 1
export PATH=/usr/sbin:/usr/bin:/sbin:/bin BUILD=$VM_BUILD B=$VM_BUILD KHIEN_LOCALEDIR=$VM_BUILD/locale LANG=C.UTF-8 TZ=UTC HOME=/root TERM=dumb TMPDIR=/run
export LAB_TIMES=20 LAB_PATIENCE=6 LAB_TTL=15 KH_TEST_SWAPS=40 SWAPS=20 CRASHES=6 PACKETS=20000 # everything takes longer here
read -ra words <<< "$VM_WORDS"

wanted()
{
	local word
	((${#words[@]})) || return 0
	for word in "${words[@]}"; do
		[[ $1 == *"$word"* ]] && return 0
	done
	return 1
}

run() # NAME COMMAND...
{
	local name=$1 code=0 start=$SECONDS
	local log=/run/vm-log/${name//\//-}.log
	shift
	wanted "$name" || return 0
	timeout --kill-after=30 1500 "$@" > "$log" 2>&1 < /dev/null || code=$?
	case $code in
	0) echo "vm: ok $name ($((SECONDS - start)) s)" ;;
	77) echo "vm: skipped $name: $(tail -n 1 "$log" | sed 's/^skipped:* *//')" ;;
	*) echo "vm: FAILED $name, exit $code" ;;
	esac
}

echo "vm: Linux $(uname -r)"
run vm/load tests/vm/load.sh
for name in $VM_BPF_TESTS; do
	run "bpf/${name#test_}" "$BUILD/tests/$name"
done
for script in tests/e2e/*.sh; do
	[[ -x $script ]] || continue # sourced by the others
	run "e2e/$(basename "$script" .sh)" "$script"
done
for name in vlan bond pppoe wireguard jumbo chain; do
	run "vm/$name" "tests/vm/$name.sh"
done
echo "vm: end"
