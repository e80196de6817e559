#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Fuzzing, every target for RUNS inputs (200,000; QUICK=1: 5,000) with a seed of the day's: documents, configuration, the control protocol, what stands
# in the ledger, what the kernel answers over netlink. The ledger and the control socket, which take milliseconds an input, get a fortieth.
#
#   RUNS=N SEED=N
set -uo pipefail

runs=${RUNS:-$([[ ${QUICK:-} ]] && echo 5000 || echo 200000)}
seed=${SEED:-$(($(date +%s) / 86400))}
failed=0 inputs=0 targets=0
for target in $(make -s list-fuzz); do
	some=$runs
	[[ $target == ledger || $target == control ]] && some=$((runs / 40))
	if make -s WERROR=1 CC=gcc B="${B:-build}" "fuzz-$target" FUZZ_RUNS="$some" FUZZ_SEED="$seed"; then
		inputs=$((inputs + some)) targets=$((targets + 1))
	else
		echo "not ok $target (seed $seed)"
		failed=1
	fi
done
echo "figure fuzz_targets $targets"
echo "figure fuzz_inputs $inputs"
exit $failed
