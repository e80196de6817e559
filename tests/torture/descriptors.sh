#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Descriptors are few (RLIMIT_NOFILE): from the start of khiend, and from one moment to the other while it runs, down to fewer than it has open. It starts or says why
# not; a change is whole, or nothing and says why; nobody who asks meanwhile is lost; what is enforced goes on being enforced, and all is as before when there are
# enough again.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/torture/part.lib
. "$here/part.lib"

KHIEN_LANG=en lab_up
lab_daemon_start || exit 1
khien block 203.0.113.7 --yes --ref 1/NEN > /dev/null || exit 1
for ((i = 0; i < 40; i++)); do echo "198.51.100.$i"; done > "$lab_dir/list.txt"

# ---- While it runs -----------------------------------------------------------------------------------

before=$(state)
hard=$(prlimit --pid "$lab_daemon" --nofile --raw --noheadings --output HARD) soft=$(prlimit --pid "$lab_daemon" --nofile --raw --noheadings --output SOFT)
limit() { prlimit --pid "$lab_daemon" --nofile="$1:$hard"; }
open=$(find "/proc/$lab_daemon/fd" -mindepth 1 | wc -l)
survived=0 refused=0 whole=0 waited=0
spares=(-20 0 1 2 3 4 5 6 7 8 10 12 16)
[ -z "${QUICK:-}" ] || spares=(-20 1 3 5 8)
for spare in "${spares[@]}"; do
	what="with $spare descriptors to spare" code=0
	limit $((open + spare))
	timeout 20 nsenter --net="/run/netns/$lab_gw" "$lab_build/khien" --socket "$lab_dir/run/control.sock" push --yes --ref 3/FEW "$lab_dir/list.txt" > "$lab_dir/out" 2>&1 < /dev/null &
	client=$!
	if ((spare <= 0)); then # nobody can be let in: whoever asks waits, and is answered when there is room
		lab_wait "the daemon's word" grep -q accept-failed "$lab_dir/khiend.log" || not_ok "$what: says so"
		dropped || not_ok "$what: packets agree"
		limit "$soft"
		waited=$((waited + 1))
	fi
	wait "$client" || code=$?
	limit "$soft"
	now=$(state)
	case $code in
	0)
		whole=$((whole + 1))
		[ "$now" != "$before" ] || not_ok "$what: done, and is not"
		;;
	*)
		refused=$((refused + 1))
		[ "$code" = 1 ] || [ "$code" = 2 ] || not_ok "$what: an answer" "exit $code: $(tail -n 2 "$lab_dir/out")"
		[ "$now" = "$before" ] || not_ok "$what: neither whole nor nothing" "exit $code: $(tail -n 2 "$lab_dir/out")"
		[ -s "$lab_dir/out" ] || not_ok "$what: says why"
		;;
	esac
	khien verify > "$lab_dir/verified" 2>&1 || not_ok "$what: what is ordered is enforced" "$(head -n 2 "$lab_dir/verified")"
	dropped || not_ok "$what: packets agree"
	[ "$now" = "$before" ] || khien undo > /dev/null
	[ "$(state)" = "$before" ] || { not_ok "$what: as before"; break; }
	survived=$((survived + 1))
done
echo "while it runs: $whole pushes done ($waited of them after a wait), $refused refused with the cause"
is "few descriptors while it runs: a push is whole, or nothing and says why" "${#spares[@]}" "$survived"
runs "the daemon is the same" 0 kill -0 "$lab_daemon"
kept=$(find "/proc/$lab_daemon/fd" -mindepth 1 | wc -l)
is "none was lost on the way (of $open)" True "$( ((kept <= open + 1)) && echo True)"
runs "the chain of the audit is whole" 0 khien history --verify

# ---- From the start ----------------------------------------------------------------------------------

lab_daemon_stop TERM
started=0 refused=0
limits=(3 5 8 12 16 20 24 28 32 36 40 44 48 64)
[ -z "${QUICK:-}" ] || limits=(3 8 16 28 40 64)
for files in "${limits[@]}"; do
	code=0
	try_start prlimit --nofile="$files:$files" || code=$?
	case $code in
	0)
		started=$((started + 1))
		lab_daemon_stop TERM
		;;
	1)
		refused=$((refused + 1))
		# 127: not even the loader can open its libraries
		[ "$ended" = 1 ] || [ "$ended" = 127 ] || not_ok "with $files descriptors it ends by itself" "exit $ended: $(tail -n 3 "$lab_dir/out")"
		[ -s "$lab_dir/out" ] || not_ok "with $files descriptors it says why"
		;;
	*) not_ok "with $files descriptors it starts or ends" ;;
	esac
	dropped || not_ok "with $files descriptors what was enforced goes on" "$(tail -n 3 "$lab_dir/out")"
done
echo "from the start: $started times started, $refused times not"
is "with few descriptors it starts or says why not" "${#limits[@]}" $((started + refused))
rm -f "$lab_dir/run/control.sock"
lab_daemon_start || exit 1
is "with enough of them: nothing was lost" "$before" "$(state)"
runs "what is ordered is enforced" 0 khien verify
runs "packets agree" 0 dropped
echo "figure descriptor_limits_survived $((survived + started + refused))"
((checks_failed)) && tail -n 20 "$lab_dir/khiend.log"
finish
