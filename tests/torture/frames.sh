#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Hostile packets: 50 million random and mutated frames (QUICK=1: 1.5 million) through the real programs, each verdict and reason compared with the
# reference parser's (frames.c). One process for each processor, in namespaces of their own. What limits them is the system call that runs one frame: four
# fifths of the time are spent entering and leaving the kernel and setting up the test run, 3 % in the programs, a sixth in the reference.
#
#   FRAMES=N     so many in all
#   SEED=N       of the first process, the next numbers for the others; without it the clock's, which is printed
#
# A difference prints the frame in hex and the command that sends it again.
set -euo pipefail

[[ $(id -u) == 0 ]] || { echo "skipped: loading packet programs needs root" && exit 77; }
build=${BUILD:-build}
frames=${FRAMES:-$([[ ${QUICK:-} ]] && echo 1500000 || echo 50000000)}
seed=${SEED:-$(date +%s)}
processes=$(nproc)
logs=$(mktemp -d)
pids=()

cleanup()
{
	((${#pids[@]})) && kill "${pids[@]}" 2> /dev/null
	rm -rf "$logs"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

before=$(dmesg 2> /dev/null | grep -cE 'BUG:|WARNING:|Oops|general protection' || true)
start=$SECONDS
for ((i = 0; i < processes; i++)); do
	"$build/tests/torture-frames" --seed $((seed + i)) --frames $((frames / processes + 1)) > "$logs/$i" 2>&1 &
	pids+=($!)
done
failed=0
for ((i = 0; i < processes; i++)); do
	code=0
	wait "${pids[i]}" || code=$?
	[[ $code == 0 ]] && continue
	cat "$logs/$i"
	((failed == 0 || failed == 77)) && failed=$code
done
pids=()
[[ $failed == 0 ]] || exit "$failed"

sum() # FIGURE
{
	awk -v name="$1" '$1 == "figure" && $2 == name { sum += $3 } END { printf "%d", sum }' "$logs"/*
}
tried=$(sum frames_tried) lists=$(sum frames_lists)
awk '$1 == "reason" { if (!($2 in sum)) order[++n] = $2; sum[$2] += $3 } END { for (i = 1; i <= n; i++) print order[i], sum[order[i]] }' "$logs"/*
after=$(dmesg 2> /dev/null | grep -cE 'BUG:|WARNING:|Oops|general protection' || true)
if ((after != before)); then
	echo "not ok: the kernel complained; see dmesg"
	exit 1
fi
echo "seeds $seed to $((seed + processes - 1)), $(sum frames_unsendable) frames too short for a test run of tc"
echo "figure frames_tried $tried"
echo "figure frame_lists $lists"
echo "figure frame_differences 0"
echo "figure frames_per_second $((tried / (SECONDS - start > 0 ? SECONDS - start : 1)))"
