#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Another build of khiend takes over under full traffic: one of the same ABI moves the programs and adopts the maps; one of another ABI makes maps of
# its own beside them, and takes the hooks when its list is in force; and back again. No unlisted packet is lost, no listed one passes, each is
# counted once. When the kernel refuses one of the links, whichever, all go back, and the version before goes on; what another ABI counted at those that
# were already moved goes with it.
# KH_TEST_NO_TCX: by filters instead of links (tests/e2e/kernel_before.c).
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "$0")/check.sh"
. "$(dirname "$0")/lab.sh"
need_root
lab_mode=${LAB_MODE:-auto} KHIEN_LANG=en lab_up
export LC_ALL=C.UTF-8
build=$(realpath "$lab_build")
shim="LD_PRELOAD=$build/tests/kernel_before.so"
start() { # build variables...
	local which=$1
	shift
	lab_launcher=(env "$shim" ${KH_TEST_NO_TCX+KH_TEST_NO_TCX=1} "$@")
	lab_build=$which lab_daemon_start
}
# every program that is attached, and where: "xdp-2 17", "tc-egress-2 18"
programs() {
	local pin
	find "$lab_bpffs" -path '*/links/*' | while read -r pin; do
		echo "${pin##*/} $(bpftool -j link show pinned "$pin" | json "d['prog_id']")"
	done | sort
	in_gw bpftool -j net | json "'\n'.join(sorted(str(x['ifindex']) + x['kind'] + ' ' + str(x['id']) for x in d[0]['tc'] if x['name'].startswith('khien')))"
}
count_of() { json "sum(r['packets'] for r in d['rows'] if r['key'] == '$1')"; }

coproc nsenter --net="/run/netns/$lab_net" "$lab_build/tests/stream" serve 5000 203.0.113.7 203.0.113.200
lab_pids+=("$COPROC_PID")
read -rt 10 _ <&"${COPROC[0]}"
start "$build" || exit 1
runs "an order" 0 khien block 203.0.113.7 --yes --ref 1/TEST
traffic() {
	nsenter --net="/run/netns/$lab_office" "$build/tests/stream" run "${STREAM_SECONDS:-3600}" 5000 203.0.113.7 203.0.113.200 >"$lab_dir/stream.out" &
	streamer=$!
	lab_pids+=("$streamer")
}
counts() { # by indicator, letter, reason and machine
	echo "$(khien stats --by indicator --json | count_of 203.0.113.7) $(khien stats --by advisory --json | count_of 1/TEST)" \
		"$(khien stats --by reason --json | count_of dropped) $(khien stats --by host --json | json "sum(r['packets'] for r in d['rows'])")"
}
# Ends the traffic and settles the account since the last time.
account() { # OPERATOR: how what was counted is to what was sent, in Python
	local before=$counted sent answered lost listed_sent listed_answered result
	kill -INT "$streamer"
	wait "$streamer"
	result=$(cat "$lab_dir/stream.out")
	echo "    $result"
	read -r _ sent _ answered _ lost _ listed_sent _ listed_answered <<< "$result"
	is "no unlisted packet was lost (of ${sent:-?})" 0 "${lost:-none}"
	is "every unlisted packet was answered" "${sent:-a}" "${answered:-b}"
	is "no listed packet passed (of ${listed_sent:-?})" 0 "${listed_answered:-none}"
	counted=$(counts)
	echo "    counted by indicator, letter, reason and machine: $counted, before: $before"
	is "each is counted once, by each of the four" True \
		"$(python3 -c "print(all(now - was $1 ${listed_sent:-0} for now, was in zip(map(int, '$counted'.split()), map(int, '$before'.split()))))")"
}
counted="0 0 0 0"
traffic
flows() { [ "$(khien stats --by indicator --json | count_of 203.0.113.7)" -gt "$1" ]; }
lab_wait "traffic" flows 1000
before=$(programs)
links=$(find "$lab_bpffs" -path '*/links/*' | wc -l)

# ---- The same ABI -------------------------------------------------------------------------------

lab_daemon_stop TERM
for ((n = 1; n <= links; n++)); do
	lab_launcher=(env "$shim" ${KH_TEST_NO_TCX+KH_TEST_NO_TCX=1} "KH_TEST_UPDATE_FAILS=$n")
	out=$(in_gw "${lab_launcher[@]}" "$build/other/build/khiend" --config "$lab_dir/khien.conf" --state "$lab_dir/state" --run "$lab_dir/run" --bpffs "$lab_bpffs" 2>&1)
	is "link $n of $links refused: it does not start" 1 $?
	contains "and says what is" "those of the version before go on filtering" "$out"
	is "all programs are those of before" "$before" "$(programs)"
done
start "$build/other/build" || exit 1
is "another build starts" protected "$(khien status --json | json "d['health']")"
after=$(programs)
is "with its own programs, each of them" "" "$(comm -12 <(cut -d' ' -f2 <<< "$before" | grep . | sort -u) <(cut -d' ' -f2 <<< "$after" | grep . | sort -u))"
is "at the same places" "$(cut -d' ' -f1 <<< "$before")" "$(cut -d' ' -f1 <<< "$after")"
runs "verify agrees" 0 khien verify
lab_daemon_stop KILL
start "$build" || exit 1
is "and back, after a kill" protected "$(khien status --json | json "d['health']")"
runs "verify agrees" 0 khien verify

account '=='

# ---- Another ABI --------------------------------------------------------------------------------

before=$(programs)
traffic
lab_daemon_stop TERM
for ((n = 1; n <= links; n++)); do
	lab_launcher=(env "$shim" ${KH_TEST_NO_TCX+KH_TEST_NO_TCX=1} "KH_TEST_UPDATE_FAILS=$n")
	in_gw "${lab_launcher[@]}" "$build/other/abi/khiend" --config "$lab_dir/khien.conf" --state "$lab_dir/state" --run "$lab_dir/run" --bpffs "$lab_bpffs" > "$lab_dir/out" 2>&1
	is "another ABI, link $n of $links refused: it does not start" 1 $?
	is "all programs are those of before" "$before" "$(programs)"
	is "and nothing of it is left" 0 "$(find "$lab_bpffs" -path '*/v9999*' | wc -l)"
done
start "$build" || exit 1
is "the version before goes on" protected "$(khien status --json | json "d['health']")"
account '<='
traffic
lab_daemon_stop TERM
folded=0
for which in other/abi . other/abi .; do
	start "$build/$which" || exit 1
	is "$which takes over: protected" protected "$(khien status --json | json "d['health']")"
	is "one version is left" 1 "$(find "$lab_bpffs" -mindepth 1 -maxdepth 1 -type d | wc -l)"
	is "with as many links" "$links" "$(find "$lab_bpffs" -path '*/links/*' | wc -l)"
	contains "counts are kept" "event=taken-over counts=kept" "$(grep event=taken-over "$lab_dir/khiend.log" | tail -n 1)"
	runs "verify agrees" 0 khien verify
	now=$(khien stats --by indicator --json | count_of 203.0.113.7)
	is "and go on" True "$(python3 -c "print($now > $folded)")"
	folded=$now
	lab_wait "traffic" flows "$now"
	lab_daemon_stop "$([ "$which" = . ] && echo KILL || echo TERM)"
done
start "$build" || exit 1
account '=='
runs "detach" 0 khien detach
is "nothing is left" 0 "$(find "$lab_bpffs" -type f 2> /dev/null | wc -l)"
finish
