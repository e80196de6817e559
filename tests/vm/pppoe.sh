#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The usual line of an office: PPPoE in VLAN 35, with pppd on the gateway and an access concentrator at the other end. ppp0 in the configuration is
# resolved to the port that carries it, where native XDP reads through VLAN and PPPoE.
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "$0")/../e2e/check.sh"
. "$(dirname "$0")/../e2e/lab.sh"
need_root
for tool in pppd pppoe-server; do
	command -v "$tool" > /dev/null || { echo "skipped: no $tool"; exit 77; }
done
KHIEN_LANG=en lab_up
export LC_ALL=C.UTF-8
for end in "$lab_gw eth0" "$lab_net wan"; do
	nsenter --net="/run/netns/${end% *}" ip link add link "${end#* }" name "${end#* }.35" type vlan id 35 2> "$lab_dir/vlan" ||
		{ echo "skipped: $(cat "$lab_dir/vlan")"; exit 77; }
	nsenter --net="/run/netns/${end% *}" ip address flush dev "${end#* }" scope global
	nsenter --net="/run/netns/${end% *}" ip link set "${end#* }.35" up
	nsenter --net="/run/netns/${end% *}" ethtool -K "${end#* }" txvlan off
done

printf 'noauth\nlcp-echo-interval 0\nnoproxyarp\nipv6 ::fe,::1\nmtu 1492\nlogfile %s\n' "$lab_dir/server.log" > "$lab_dir/server.options"
nsenter --net="/run/netns/$lab_net" pppoe-server -F -I wan.35 -L 192.0.2.130 -R 192.0.2.129 -N 4 -O "$lab_dir/server.options" \
	< /dev/null > "$lab_dir/pppoe-server.log" 2>&1 &
lab_pids+=($!)
nsenter --net="/run/netns/$lab_gw" pppd plugin pppoe.so nic-eth0.35 nodetach noauth noipdefault nodefaultroute persist maxfail 0 holdoff 1 \
	ipv6 ::1,::fe mtu 1492 ifname ppp0 < /dev/null > "$lab_dir/pppd.log" 2>&1 &
lab_pids+=($!)
is_up() { in_gw ip -4 -o address show dev ppp0 | grep -q 192.0.2.129; }
lab_wait "the PPPoE session" is_up || { cat "$lab_dir"/pppd.log "$lab_dir"/*server.log; exit 1; }
ppp=$(in_net ip -o link show | sed -n 's/^[0-9]*: \(ppp[0-9]*\):.*/\1/p')
in_gw ip route replace default dev ppp0
in_gw ip -6 route replace default dev ppp0
in_net ip route replace 192.0.2.0/25 dev "$ppp"
in_net ip -6 route replace 2001:db8:1::/64 dev "$ppp"
sed -i 's/^wan = .*/wan = ppp0/' "$lab_dir/khien.conf"

rows() { khien stats --by "$1" --json | json "sum(r['packets'] for r in d['rows'] if r['key'] == '$2')"; }
from_net() { in_net curl -s --interface "$1" --max-time "${LAB_PATIENCE:-1}" http://192.0.2.57:8080/; }
lab_web "$lab_net" 80 "internet"
lab_web "$lab_office" 8080 "office"
lab_wait "the web server" office_get lan1 http://203.0.113.8/
lab_daemon_start || exit 1
is "ppp0 stands for the port that carries it, natively" "['native']" \
	"$(khien status --json | json "[i['mode'] for i in d['interfaces'] if i['name'] == 'ppp0' and i['role'] == 'wan' and i['device'] == 'eth0']")"
((checks_failed)) && in_gw cat /proc/net/pppoe && in_gw ip -d link show && khien status && cat "$lab_dir/khiend.log"
is "before any order an outside host comes in" office "$(from_net 203.0.113.7)"
runs "an order" 0 khien block 203.0.113.7 2001:db8:666::/48 --yes --ref 1/TEST
is "out to a listed host is dropped" "" "$(office_get lan1 http://203.0.113.7/)"
is "IPv6 too" "" "$(office_get lan1 "http://[2001:db8:666::10]/")"
is "out to an unlisted host passes" internet "$(office_get lan1 http://203.0.113.8/)"
is "IPv6 too" internet "$(office_get lan1 "http://[2001:db8:777::10]/")"
before=$(rows interface ppp0)
in_net ping -c 5 -i 0.2 -W 1 -I 203.0.113.7 192.0.2.57 > /dev/null
is "in from a listed host is counted under its name, exactly" 5 "$(($(rows interface ppp0) - before))"
is "and dropped" "" "$(from_net 203.0.113.7)"
is "in from another passes" office "$(from_net 203.0.113.8)"
before=$(rows indicator 203.0.113.7)
in_gw ping -c 5 -i 0.2 -W 1 203.0.113.7 > /dev/null
is "what the gateway itself sends out by ppp0 is counted, exactly" 5 "$(($(rows indicator 203.0.113.7) - before))"
runs "the session goes on: no PPP frame is lost" 0 in_gw ping -c 2 -W "${LAB_PATIENCE:-1}" 192.0.2.130
runs "verify agrees" 0 khien verify
runs "detach" 0 khien detach
finish
