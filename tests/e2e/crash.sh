#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The daemon is killed (SIGKILL) at moments spread over the whole of a push, an undo and a confirmation, again and again. Each time the state
# after the restart is the one before or the one after, the kernel enforces what the ledger orders, and the chain of the audit is whole.
# CRASHES=N: so many kills.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/lab.sh
. "$here/lab.sh"
# shellcheck source=tests/e2e/check.sh
. "$here/check.sh"
need_root

crashes=${CRASHES:-24} size=300
lab_up
lab_daemon_start || exit 1
state() { khien list --json 2>/dev/null | json "len(d['indicators'])"; }
elapsed_us() { echo $((${EPOCHREALTIME/./} - $1)); }

for ((i = 0; i < crashes; i++)); do
	for ((j = 0; j < size; j++)); do echo "198.51.100.$((j % 250))"; done | sort -u > "$lab_dir/list-$i.txt"
done
values=$(wc -l < "$lab_dir/list-0.txt")

# How long each act takes when nobody dies: the kills are spread over that.
start=${EPOCHREALTIME/./}
khien push --yes --ref 1/MAU "$lab_dir/list-0.txt" >/dev/null 2>&1
push_us=$(elapsed_us "$start")
is "a push is in force" "$values" "$(state)"
start=${EPOCHREALTIME/./}
khien undo >/dev/null 2>&1
undo_us=$(elapsed_us "$start")
is "and undone" 0 "$(state)"

wrong=0 before=0 after=0 confirmations=0
for ((i = 0; i < crashes; i++)); do
	# Some are killed in a confirmation, which takes a change that waits; some when they have their answer. The others die whenever it comes.
	if ((i % 6 == 3)); then
		[ "$(state)" = 0 ] || khien undo >/dev/null 2>&1
		khien push --yes --ref 1/MAU --confirm-within 5m "$lab_dir/list-$i.txt" >/dev/null 2>&1
	fi
	was=$(state) waiting=$(khien status --json | json "len(d['unconfirmed'])")
	if [ "$waiting" != 0 ] && ((i % 2)); then
		act=(confirm) takes=$undo_us wanted=$was
	elif [ "$was" = 0 ]; then
		act=(push --yes --ref 1/MAU "$lab_dir/list-$((i / 2 * 2)).txt") takes=$push_us wanted=$values
		((i % 3 == 2)) && act+=(--confirm-within 5m)
	else
		act=(undo) takes=$undo_us wanted=0
	fi
	khien "${act[@]}" >/dev/null 2>&1 &
	client=$!
	if ((i % 6 == 1)); then
		wait "$client"
	else
		read -rt "$(printf '0.%06d' $(((takes * (i * 7 % crashes) / crashes) % 1000000)))" <> <(:) || :
	fi
	lab_daemon_stop KILL
	wait "$client"
	lab_daemon_start || { wrong=$((wrong + 1)); break; }
	now=$(state)
	[ "${act[0]}" != confirm ] || confirmations=$((confirmations + 1))
	case $now in
	"$was") before=$((before + 1)) ;;
	"$wanted") after=$((after + 1)) ;;
	*) echo "kill $i of ${act[*]}: $was before, $now now"; wrong=$((wrong + 1)) ;;
	esac
	khien verify >/dev/null 2>&1 || { echo "kill $i of ${act[*]}: $(khien verify --lang en)"; wrong=$((wrong + 1)); }
	khien history --verify >/dev/null 2>&1 || { echo "kill $i of ${act[*]}: $(khien history --verify --lang en)"; wrong=$((wrong + 1)); }
done
echo "$crashes kills ($confirmations of a confirmation): $before times the state before, $after times the one after"
is "never anything in between, nothing lost, the chain whole" 0 "$wrong"
is "each of both was seen, and a confirmation killed" True "$( ((before > 0 && after > 0 && confirmations > 0)) && echo True)"
finish
