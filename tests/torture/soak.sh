#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The soak: an hour (QUICK=1: five minutes; SOAK_SECONDS=N: so many seconds) of full-speed traffic through a gateway whose list changes ten times a second
# and one of whose links goes down, up, away and comes again all the time.
#
#   eth1   203.0.113.7 is listed from the beginning to the end, 203.0.113.200 never: none of the one passes, none of the other is lost, and the
#          counter of 203.0.113.7 says exactly what was sent
#   eth3   203.0.113.20 comes and goes with every change, 203.0.113.201 is never listed: each packet to the former was either answered
#          or counted as dropped, none both, none neither
#   eth2   flaps. A link made anew is unprotected until khiend has attached to it, so what is counted exactly does not go by it
#
# Meanwhile the daemon's memory, descriptors and kernel maps stay flat, and its ledger grows by what it writes down (soak.py).
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/torture/part.lib
. "$here/part.lib"

seconds=${SOAK_SECONDS:-$([[ ${QUICK:-} ]] && echo 300 || echo 3600)}
KHIEN_LANG=en lab_up
lab_pair "$lab_gw" eth3 00:00:5e:00:53:04 "$lab_office" lan3 00:00:5e:00:53:9a
in_gw ip address add 192.0.2.145/28 dev eth3
in_office ip address add 192.0.2.154/28 dev lan3
in_office ip route add 203.0.113.20 via 192.0.2.145 dev lan3
in_office ip route add 203.0.113.201 via 192.0.2.145 dev lan3
in_net ip route add 192.0.2.144/28 via 192.0.2.129
sed -i 's/^lan = .*/lan = eth1, eth2, eth3/' "$lab_dir/khien.conf"
lab_daemon_start || exit 1

# The way is known before, and stays so: a packet that waits for an address of its neighbour is none of the filter's.
neighbours()
{
	in_office ip neighbour replace 192.0.2.1 lladdr 00:00:5e:00:53:02 dev lan1 nud permanent
	in_office ip neighbour replace 192.0.2.145 lladdr 00:00:5e:00:53:04 dev lan3 nud permanent
	in_gw ip neighbour replace 192.0.2.57 lladdr 00:00:5e:00:53:57 dev eth1 nud permanent
	in_gw ip neighbour replace 192.0.2.154 lladdr 00:00:5e:00:53:9a dev eth3 nud permanent
	in_gw ip neighbour replace 192.0.2.130 lladdr 00:00:5e:00:53:fe dev eth0 nud permanent
	in_net ip neighbour replace 192.0.2.129 lladdr 00:00:5e:00:53:01 dev wan nud permanent
}
neighbours
coproc nsenter --net="/run/netns/$lab_net" "$lab_build/tests/stream" serve 5000 203.0.113.7 203.0.113.200 203.0.113.20 203.0.113.201
lab_pids+=("$COPROC_PID")
read -rt 10 _ <&"${COPROC[0]}"
khien block 203.0.113.7 --yes --ref 1/TEST > /dev/null || exit 1

state() { khien status --json | json "d['health']"; }
is_protected() { [ "$(state)" = protected ]; }
packets_of() { khien stats --by indicator --top 100000 --json | json "sum(r['packets'] for r in d['rows'] if r['key'] == '$1')"; }

flap()
{
	local flaps=0
	trap 'echo "$flaps" > "$lab_dir/flaps"; exit 0' TERM
	while :; do
		in_gw ip link set eth2 down
		read -rt 0.3 <> <(:) || :
		in_gw ip link set eth2 up
		read -rt 0.7 <> <(:) || :
		in_gw ip link delete eth2
		read -rt 0.3 <> <(:) || :
		lab_pair "$lab_gw" eth2 00:00:5e:00:53:03 "$lab_office" lan2 00:00:5e:00:53:7a
		in_gw ip address add 192.0.2.65/26 dev eth2
		in_office ip address add 192.0.2.122/26 dev lan2
		read -rt 0.7 <> <(:) || :
		flaps=$((flaps + 2))
		echo "$flaps" > "$lab_dir/flaps"
	done
}

stream() # LISTED UNLISTED
{
	exec nsenter --net="/run/netns/$lab_office" "$lab_build/tests/stream" run 1000000 5000 "$1" "$2"
}
stream 203.0.113.7 203.0.113.200 > "$lab_dir/fixed" &
fixed=$!
stream 203.0.113.20 203.0.113.201 > "$lab_dir/shared" &
shared=$!
flap &
flapper=$!
lab_pids+=("$fixed" "$shared" "$flapper")
python3 "$here/soak.py" "$seconds" "$lab_dir/run/control.sock" \
	"nsenter|--net=/run/netns/$lab_gw|$lab_build/khien|--socket|$lab_dir/run/control.sock" "$lab_dir" "$lab_daemon" "$lab_dir/state/ledger.db" 203.0.113.20 &
changer=$!
lab_pids+=("$changer")
wait "$changer"
is "every change was made, and nothing grew" 0 $?
kill "$flapper" 2> /dev/null
wait "$flapper" 2> /dev/null
kill -INT "$fixed" "$shared"
wait "$fixed" "$shared"
read -r _ sent _ answered _ lost _ listed_sent _ listed_answered < "$lab_dir/fixed"
read -r _ sent2 _ answered2 _ lost2 _ shared_sent _ shared_answered < "$lab_dir/shared"
echo "    always listed: $(cat "$lab_dir/fixed")"
echo "    now and then: $(cat "$lab_dir/shared")"

is "no unlisted packet was lost (of $sent and $sent2)" "0 0" "$lost $lost2"
is "each was answered once" "$sent $sent2" "$answered $answered2"
is "no listed packet passed (of $listed_sent)" 0 "$listed_answered"
is "the counter is exact" "$listed_sent" "$(packets_of 203.0.113.7)"
is "the other address was now dropped, now passed" True "$(python3 -c "print(0 < $shared_answered < $shared_sent)")"
is "each packet to it was answered or counted" $((shared_sent - shared_answered)) "$(packets_of 203.0.113.20)"
[[ -e /sys/class/net ]] && lab_wait "eth2" in_gw ip link show eth2
lab_wait "the attachment" is_protected
is "protected at the end" protected "$(state)"
runs "verify agrees" 0 khien verify
runs "the chain of the audit is whole" 0 khien history --verify
is "the daemon is the same" True "$(kill -0 "$lab_daemon" 2> /dev/null && echo True)"
echo "figure soak_seconds $seconds"
echo "figure soak_packets_unlisted $((sent + sent2))"
echo "figure soak_packets_unlisted_lost $((lost + lost2))"
echo "figure soak_packets_listed $((listed_sent + shared_sent - shared_answered))"
echo "figure soak_packets_listed_passed $listed_answered"
echo "figure soak_link_flaps $(cat "$lab_dir/flaps")"
((checks_failed)) && tail -n 20 "$lab_dir/khiend.log"
finish
