#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A district behind real WireGuard: its machines come out of wg0, a LAN of layer 3, and are judged there by tc ingress before the NAT of the
# gateway would hide them. The tunnel's outer address can never be blocked.
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "$0")/../e2e/check.sh"
. "$(dirname "$0")/../e2e/lab.sh"
need_root
command -v wg > /dev/null || { echo "skipped: no wg"; exit 77; }
KHIEN_LANG=en lab_up
export LC_ALL=C.UTF-8
district=khd$lab_id
trap 'ip netns del "$district"; lab_down' EXIT
ip netns add "$district"
in_district() { nsenter --net="/run/netns/$district" "$@"; }
in_gw ip link add wg0 type wireguard 2> "$lab_dir/wg" || { echo "skipped: $(cat "$lab_dir/wg")"; exit 77; }
in_district ip link add wg0 type wireguard
lab_pair "$lab_net" far 00:00:5e:00:53:fd "$district" up0 00:00:5e:00:53:fc
in_net sysctl -qw net.ipv4.ip_forward=1
in_net ip address add 192.0.2.145/30 dev far
in_district ip address add 192.0.2.146/30 dev up0
in_district ip route add 192.0.2.129 via 192.0.2.145

for end in gw district; do
	(umask 077; wg genkey > "$lab_dir/$end.key")
	wg pubkey < "$lab_dir/$end.key" > "$lab_dir/$end.pub"
done
in_gw wg set wg0 listen-port 51820 private-key "$lab_dir/gw.key" \
	peer "$(cat "$lab_dir/district.pub")" allowed-ips 192.0.2.192/28,2001:db8:3::/64
in_district wg set wg0 private-key "$lab_dir/district.key" \
	peer "$(cat "$lab_dir/gw.pub")" endpoint 192.0.2.129:51820 allowed-ips 0.0.0.0/0,::/0
in_gw ip address add 192.0.2.193/28 dev wg0
in_gw ip address add 2001:db8:3::1/64 dev wg0 nodad
in_gw ip link set wg0 up
in_district ip address add 192.0.2.200/28 dev wg0
in_district ip address add 2001:db8:3::c8/64 dev wg0 nodad
in_district ip link set wg0 up
in_district ip route add default dev wg0
in_district ip -6 route add default dev wg0
in_net ip route add 192.0.2.192/28 via 192.0.2.129
in_net ip -6 route add 2001:db8:3::/64 via 2001:db8:fe::1
sed -i 's/^lan = .*/lan = eth1, eth2, wg0/' "$lab_dir/khien.conf"

district_get() { in_district curl -s --noproxy '*' --max-time "${LAB_PATIENCE:-1}" "$1"; }
rows() { khien stats --by "$1" --json | json "sum(r['packets'] for r in d['rows'] if r['key'] == '$2')"; }
lab_web "$lab_net" 80 "internet"
lab_wait "the tunnel" district_get http://203.0.113.7/
lab_daemon_start || exit 1
is "wg0 is judged by tc ingress" tc "$(khien status --json | json "[i['mode'] for i in d['interfaces'] if i['name'] == 'wg0'][0]")"
is "before any order a host answers through the tunnel" internet "$(district_get http://203.0.113.7/)"
runs "an order" 0 khien block 203.0.113.7 2001:db8:666::/48 --yes --ref 1/TEST
is "listed is dropped" "" "$(district_get http://203.0.113.7/)"
is "listed IPv6 too" "" "$(district_get "http://[2001:db8:666::10]/")"
is "unlisted passes" internet "$(district_get http://203.0.113.8/)"
is "unlisted IPv6 too" internet "$(district_get "http://[2001:db8:777::10]/")"
is "the machine of the district is seen" 1 "$(($(rows host 192.0.2.200) > 0))"
is "and its IPv6" 1 "$(($(rows host 2001:db8:3::c8) > 0))"
is "without a MAC" "[None]" "$(khien stats --by host --json | json "[r['extra'] or None for r in d['rows'] if r['key'] == '192.0.2.200']")"
# what is no drop is counted there too: packets with IPv6 options, say, which come at any time
dropped=$(rows reason dropped) came=$(rows interface wg0) all=$(khien stats --by reason --json | json "sum(r['packets'] for r in d['rows'])")
is "all that was dropped, $dropped of $came of $all, came in by wg0" True "$(python3 -c "print(0 < $dropped <= $came <= $all)")"
((checks_failed)) && khien stats --by reason && khien stats --by interface
before=$(rows indicator 203.0.113.7)
in_district ping -c 5 -i 0.2 -W 1 203.0.113.7 > /dev/null
is "counted exactly" 5 "$(($(rows indicator 203.0.113.7) - before))"
runs "the other end of the tunnel cannot be blocked" 3 khien block 192.0.2.146 --yes
is "and the tunnel lives" internet "$(district_get http://203.0.113.8/)"
runs "verify agrees" 0 khien verify
runs "detach" 0 khien detach
finish
