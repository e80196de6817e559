#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A bond towards the office, with Khiên on the bond, and with Khiên on its ports: what is listed does not pass, by whichever port it comes, also when one
# goes down or away, a new one comes, and the MTU changes.
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "$0")/../e2e/check.sh"
. "$(dirname "$0")/../e2e/lab.sh"
need_root
KHIEN_LANG=en lab_up
export LC_ALL=C.UTF-8
in_gw ip link add bond0 type bond mode active-backup miimon 100 2> "$lab_dir/bond" || { echo "skipped: $(cat "$lab_dir/bond")"; exit 77; }
in_office ip link add bond0 type bond mode active-backup miimon 100

# Two ports become one interface, at both ends; what they had for addresses goes to it.
join() { # NAMESPACE PORT...
	local ns=$1 port
	shift
	for port in "$@"; do
		nsenter --net="/run/netns/$ns" ip address flush dev "$port" scope global
		nsenter --net="/run/netns/$ns" ip link set "$port" down
		nsenter --net="/run/netns/$ns" ip link set "$port" master bond0
	done
	nsenter --net="/run/netns/$ns" ip link set bond0 up
}
join "$lab_gw" eth1 eth2
join "$lab_office" lan1 lan2
in_gw ip address add 192.0.2.1/26 dev bond0
in_office ip address add 192.0.2.57/26 dev bond0
in_office ip route replace default via 192.0.2.1 dev bond0

lab_web "$lab_net" 80 "internet"
state() { khien status --json | json "d['health']"; }
modes() { khien status --json | json "' '.join(i['name'] + ' ' + i['mode'] for i in d['interfaces'] if i['role'] == 'lan')"; }
count() { khien stats --by "$1" --json | json "sum(r['packets'] for r in d['rows'] if r['key'] == '$2')"; }
is_now() { [ "$($2)" = "$1" ]; }
active() { in_gw cat /sys/class/net/bond0/bonding/active_slave 2> /dev/null || in_gw ip -j -d link show bond0 | json "d[0]['linkinfo']['info_data']['active_slave']"; }
is_active() { [ "$(active)" = "$1" ]; }
unlisted() { [ "$(office_get bond0 http://203.0.113.8/)" = internet ]; }
filters() { # what
	local before
	before=$(count indicator 203.0.113.7)
	lab_wait "the web server" unlisted
	is "$1: listed is dropped" "" "$(office_get bond0 http://203.0.113.7/)"
	is "$1: and counted" 1 "$(($(count indicator 203.0.113.7) > before))"
	is "$1: unlisted passes" internet "$(office_get bond0 http://203.0.113.8/)"
}

for lan in bond0 "eth1, eth2"; do
	sed -i "s/^lan = .*/lan = $lan/" "$lab_dir/khien.conf"
	lab_daemon_start || exit 1
	is "on $lan: protected" protected "$(state)"
	echo "    $(modes)"
	[ "$lan" = bond0 ] && runs "an order" 0 khien block 203.0.113.7 --yes --ref 1/TEST
	filters "on $lan"
	is "the machine is seen" 1 "$(($(count host 192.0.2.57) > 0))"
	in_gw ip link set eth1 down
	lab_wait "the other port" is_active eth2
	filters "on $lan, one port down"
	in_gw ip link set eth1 up
	in_gw ip link set eth2 nomaster
	lab_wait "the other port" is_active eth1
	filters "on $lan, one port out"
	in_gw ip link set eth2 down
	in_gw ip link set eth2 master bond0 || not_ok "the port comes back"
	for mtu in 1400 9000 1500; do
		in_gw ip link set bond0 mtu "$mtu"
		in_office ip link set bond0 mtu "$mtu"
		filters "on $lan, MTU $mtu"
	done
	lab_wait "health" is_now protected state
	is "on $lan: protected" protected "$(state)"
	runs "verify agrees" 0 khien verify
	runs "detach" 0 khien detach
	lab_daemon_stop TERM
done
finish
