#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 200 pushes and undos under full-speed traffic: no unlisted packet is lost, no listed one passes. One address is listed in
# every generation, one in none; a hundred others come and go.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/lab.sh
. "$here/lab.sh"
# shellcheck source=tests/e2e/check.sh
. "$here/check.sh"
need_root

swaps=${SWAPS:-200}
lab_up
lab_daemon_start || exit 1
coproc nsenter --net="/run/netns/$lab_net" "$lab_build/tests/stream" serve 5000 203.0.113.7 203.0.113.200
lab_pids+=("$COPROC_PID")
read -rt 10 _ <&"${COPROC[0]}"
khien block 203.0.113.7 --yes --ref 1/TEST >/dev/null || exit 1
for ((i = 0; i < 100; i++)); do echo "198.51.100.$i"; done >"$lab_dir/a.txt"

nsenter --net="/run/netns/$lab_office" "$lab_build/tests/stream" run "${STREAM_SECONDS:-3600}" 5000 203.0.113.7 203.0.113.200 >"$lab_dir/stream.out" &
streamer=$!
lab_pids+=("$streamer")
done_swaps=0
for ((i = 0; i < swaps; i += 2)); do
	khien push --yes --ref "swap-$i" "$lab_dir/a.txt" >/dev/null && done_swaps=$((done_swaps + 1))
	khien undo >/dev/null && done_swaps=$((done_swaps + 1))
done
is "all pushes and undos were done" "$swaps" "$done_swaps"
kill -INT "$streamer"
wait "$streamer"
result=$(cat "$lab_dir/stream.out")
echo "    $result"
read -r _ sent _ answered _ lost _ listed_sent _ listed_answered <<<"$result"
is "traffic went on all the time" True "$(python3 -c "print(${sent:-0} > 1000 and ${listed_sent:-0} > 1000)")"
is "no unlisted packet was lost (of ${sent:-?})" 0 "${lost:-none}"
is "no listed packet passed (of ${listed_sent:-?})" 0 "${listed_answered:-none}"
is "every unlisted packet was answered" "${sent:-a}" "${answered:-b}"
runs "verify agrees at the end" 0 khien verify
finish
