#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Real VLAN devices: the WAN is eth0.35, one LAN eth1.10; Khiên sits on the ports that carry them. Once with the tag beside the frame,
# as cards that strip it hand it over, once with the tag in the frame; by native XDP and by tc.
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "$0")/../e2e/check.sh"
. "$(dirname "$0")/../e2e/lab.sh"
need_root
KHIEN_LANG=en lab_mode=${LAB_MODE:-auto} lab_up
export LC_ALL=C.UTF-8

# The address of a port moves to a VLAN on it, at both ends.
vlan() { # namespace port id address...
	local ns=$1 port=$2 id=$3 address
	shift 3
	nsenter --net="/run/netns/$ns" ip link add link "$port" name "$port.$id" type vlan id "$id" || return 1
	nsenter --net="/run/netns/$ns" ip address flush dev "$port" scope global
	nsenter --net="/run/netns/$ns" ip link set "$port.$id" up
	for address in "$@"; do
		nsenter --net="/run/netns/$ns" ip address add "$address" dev "$port.$id"
	done
}
vlan "$lab_gw" eth0 35 192.0.2.129/30 2001:db8:fe::1/64 2> "$lab_dir/vlan" || { echo "skipped: $(cat "$lab_dir/vlan")"; exit 77; }
vlan "$lab_net" wan 35 192.0.2.130/30 2001:db8:fe::2/64
vlan "$lab_gw" eth1 10 192.0.2.1/26 2001:db8:1::1/64
vlan "$lab_office" lan1 10 192.0.2.57/26 2001:db8:1::57/64
in_gw ip route replace default via 192.0.2.130
in_gw ip -6 route replace default via 2001:db8:fe::2
in_net ip route replace 192.0.2.0/25 via 192.0.2.129
in_net ip -6 route replace 2001:db8:1::/64 via 2001:db8:fe::1
in_office ip route replace default via 192.0.2.1 dev lan1.10
in_office ip -6 route replace default via 2001:db8:1::1 dev lan1.10 metric 1

rows() { khien stats --by "$1" --json | json "sum(r['packets'] for r in d['rows'] if r['key'] == '$2')"; }
lab_web "$lab_net" 80 "internet"
lab_web "$lab_office" 8080 "office"
lab_daemon_start || exit 1
lab_wait "the web server" office_get lan1.10 http://203.0.113.8/
echo "    $(khien status --json | json "[(i['name'], i['mode']) for i in d['interfaces']]")"
runs "an order" 0 khien block 203.0.113.7 2001:db8:666::/48 --yes --ref 1/TEST

for tag in beside within; do
	[ "$tag" = within ] && for port in "$lab_net wan" "$lab_office lan1"; do
		nsenter --net="/run/netns/${port% *}" ethtool -K "${port#* }" txvlan off
	done
	before=$(rows indicator 203.0.113.7) before6=$(rows indicator 2001:db8:666::/48) seen=$(rows host 192.0.2.57)
	is "tag $tag the frame: listed is dropped" "" "$(office_get lan1.10 http://203.0.113.7/)"
	is "tag $tag the frame: IPv6 too" "" "$(office_get lan1.10 "http://[2001:db8:666::10]/")"
	is "tag $tag the frame: unlisted passes" internet "$(office_get lan1.10 http://203.0.113.8/)"
	is "tag $tag the frame: IPv6 too" internet "$(office_get lan1.10 "http://[2001:db8:777::10]/")"
	is "tag $tag the frame: counted" 1 "$(($(rows indicator 203.0.113.7) > before && $(rows indicator 2001:db8:666::/48) > before6))"
	is "tag $tag the frame: the machine behind the VLAN is seen" 1 "$(($(rows host 192.0.2.57) > seen))"
	before=$(rows indicator 203.0.113.7)
	is "tag $tag the frame: from outside is dropped" "" "$(in_net curl -s --interface 203.0.113.7 --max-time "${LAB_PATIENCE:-1}" http://192.0.2.57:8080/)"
	is "tag $tag the frame: and counted" 1 "$(($(rows indicator 203.0.113.7) > before))"
	is "tag $tag the frame: another outside host is not" office \
		"$(in_net curl -s --interface 203.0.113.8 --max-time "${LAB_PATIENCE:-1}" http://192.0.2.57:8080/)"
done
is "with its MAC" 00:00:5e:00:53:57 "$(khien stats --by host --json | json "[r['extra'] for r in d['rows'] if r['key'] == '192.0.2.57'][0]")"
is "nothing counted as spoofed" 0 "$(rows host spoofed)"
runs "verify agrees" 0 khien verify
runs "detach" 0 khien detach
finish
