#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The control socket is flooded: by valid requests, garbage, half requests, gigabytes, 100 half-open connections, answers that nobody takes and files that nobody
# reads, from root and from a user who may look, one after the other and all at once (flood.py, which says who sends what). An honest khien goes on being
# answered; what is listed goes on being dropped, what is not passes; the daemon is the same process, its descriptors come back, its memory has a bound.
#
# QUICK=1: 2 seconds each, else 20; FLOOD_SECONDS=N; FLOODS="silent half": only these.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/torture/part.lib
. "$here/part.lib"

seconds=${FLOOD_SECONDS:-$([ -n "${QUICK:-}" ] && echo 2 || echo 20)} user=65534 group=65533
KHIEN_LANG=en lab_up
# A group of those who may look, for khiend alone.
{ grep -v '^khien:' /etc/group; echo "khien:x:$group:"; } > "$lab_dir/group"
# shellcheck disable=SC2016 # the inner shell's
lab_launcher=(unshare --mount sh -c 'mount --bind "$0" /etc/group && exec "$@"' "$lab_dir/group")
lab_daemon_start || exit 1
khien block 203.0.113.7 --yes --ref 1/NEN > /dev/null || exit 1
python3 -c 'for i in range(5000): print("2001:db8:777::%x" % (i * 6))' > "$lab_dir/list.txt"
khien push --yes --ref 3/LIST "$lab_dir/list.txt" > /dev/null || exit 1
chmod 711 "$lab_dir"

coproc SERVE { exec nsenter --net="/run/netns/$lab_net" "$lab_build/tests/stream" serve 5000 203.0.113.7 203.0.113.200; }
lab_pids+=("$SERVE_PID")
read -rt 10 _ <&"${SERVE[0]}"
nsenter --net="/run/netns/$lab_office" "$lab_build/tests/stream" run 1000000 5000 203.0.113.7 203.0.113.200 10 > "$lab_dir/stream" &
stream=$!
lab_pids+=("$stream")
known=$(state)
python3 "$here/flood.py" "$seconds" "$lab_dir/run/control.sock" "nsenter|--net=/run/netns/$lab_gw|$lab_build/khien|--socket|$lab_dir/run/control.sock" "$lab_daemon" "$user" "$group" &
flood=$!
lab_pids+=("$flood")
wait "$flood"
is "an honest client is answered, descriptors and memory are bounded" 0 $?
kill -INT "$stream"
wait "$stream"
read -r _ sent _ _ _ lost _ listed_sent _ listed_answered < "$lab_dir/stream"
is "no unlisted packet was lost (of $sent)" 0 "$lost"
is "no listed packet passed (of $listed_sent)" 0 "$listed_answered"
is "the daemon is the same" True "$(kill -0 "$lab_daemon" 2> /dev/null && echo True)"
is "what is ordered is as before" "$known" "$(state)"
runs "verify agrees" 0 khien verify
runs "the chain of the audit is whole" 0 khien history --verify
echo "figure flood_packets_unlisted $sent"
echo "figure flood_packets_unlisted_lost $lost"
echo "figure flood_packets_listed_passed $listed_answered"
((checks_failed)) && tail -n 20 "$lab_dir/khiend.log"
finish
