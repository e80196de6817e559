#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# khiend --check --load, as an administrator asks before anything is attached: this kernel takes every program, and says how much it verified.
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "$0")/../e2e/check.sh"
. "$(dirname "$0")/../e2e/lab.sh"
need_root
KHIEN_LANG=en lab_up
out=$(in_gw "$lab_build/khiend" --config "$lab_dir/khien.conf" --state "$lab_dir/state" --run "$lab_dir/run" --check --load 2>&1)
is "the check passes" 0 $?
echo "$out"
for program in khien_xdp khien_tc_in khien_tc_in_l3 khien_tc_out khien_tc_out_l3; do
	is "$program is verified" 1 "$(grep -cE "^ *$program +[0-9]+" <<< "$out")"
done
is "nothing is attached" "" "$(in_gw ip -d link show | grep prog/)"
finish
