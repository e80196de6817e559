#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Native XDP: what is ordered is dropped, both ways and both families, counted exactly, by indicator, letter, interface and machine;
# what is not ordered is not touched. LAB_MODE=tc runs the same with tc ingress.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/lab.sh
. "$here/lab.sh"
# shellcheck source=tests/e2e/check.sh
. "$here/check.sh"
need_root

lab_mode=${LAB_MODE:-auto}
mode=$([ "$lab_mode" = auto ] && echo native || echo "$lab_mode")
lab_up
lab_web "$lab_net" 80 "internet"
lab_web "$lab_office" 8080 "office"
lab_daemon_start || exit 1
frame() { in_net "$lab_build/tests/frame" wan "$@"; }
packets() { # by key
	khien stats --by "$1" --json | json "sum(r['packets'] for r in d['rows'] if r['key'] == '$2')"
}
bytes() { khien stats --by "$1" --json | json "sum(r['bytes'] for r in d['rows'] if r['key'] == '$2')"; }

lab_wait "the web server" office_get lan1 http://203.0.113.7/
is "the programs are attached as configured" "['$mode', '$mode', '$mode']" \
	"$(khien status --json | json "[i['mode'] for i in d['interfaces']]")"
is "before any order a listed host answers" internet "$(office_get lan1 http://203.0.113.7/)"

cat >"$lab_dir/list.txt" <<-EOF
	# an emergency list
	203.0.113.7
	198.51.100.0/25
	203.0.113.40-203.0.113.43
	203.0.113.99:443/tcp
	2001:db8:666::/48
EOF
runs "a list is pushed" 0 khien push --yes "$lab_dir/list.txt"
is "LAN to a listed address is dropped" "" "$(office_get lan1 http://203.0.113.7/)"
is "LAN to a listed prefix is dropped" "" "$(office_get lan2 http://198.51.100.9/)"
is "LAN to a listed IPv6 prefix is dropped" "" "$(office_get lan1 "http://[2001:db8:666::10]/")"
is "the next address after the prefix is not" internet "$(office_get lan1 http://198.51.100.128/)"
is "an unlisted address is not" internet "$(office_get lan2 http://203.0.113.8/)"
is "an unlisted IPv6 address is not" internet "$(office_get lan1 "http://[2001:db8:777::10]/")"
is "only the listed port of an address is dropped" internet "$(office_get lan1 http://203.0.113.99/)"
is "an attacker from outside is dropped" "" "$(in_net curl -s --interface 203.0.113.7 --max-time "${LAB_PATIENCE:-1}" http://192.0.2.57:8080/)"
is "another outside host is not" office "$(in_net curl -s --interface 203.0.113.8 --max-time "${LAB_PATIENCE:-1}" http://192.0.2.57:8080/)"
in_gw curl -s --max-time "${LAB_PATIENCE:-1}" http://203.0.113.41/ >/dev/null
is "the gateway's own call to a listed address is seen" True \
	"$(khien why 203.0.113.41 --json | json "any(s['gateway'] for s in d['sightings'])")"

before=$(packets indicator 203.0.113.7) before_bytes=$(bytes indicator 203.0.113.7)
# Neighbours are asked for at any time: what is no drop may come on top.
others() { khien stats --by reason --json | json "sum(r['packets'] for r in d['rows'] if r['key'] != 'dropped')"; }
before_others=$(others) before_eth0=$(packets interface eth0)
frame 100 203.0.113.7 192.0.2.57 445
frame 40 vlan:35 203.0.113.7 192.0.2.57 445
frame 30 vlan:35 vlan:7 203.0.113.7 192.0.2.57 445
frame 20 pppoe 203.0.113.7 192.0.2.57 445
frame 10 vlan:35 pppoe 203.0.113.7 192.0.2.57 445
is "plain, VLAN, QinQ, PPPoE and PPPoE-in-VLAN frames are counted exactly" 200 \
	"$(($(packets indicator 203.0.113.7) - before))"
is "their layer-3 bytes too" $((200 * 32)) "$(($(bytes indicator 203.0.113.7) - before_bytes))"
seen=$(($(packets interface eth0) - before_eth0)) more=$(($(others) - before_others))
((seen > 200 && seen <= 200 + more)) && seen=200
is "on the interface they came in by, and at the most $more others" 200 "$seen"
before=$(packets indicator 2001:db8:666::/48)
frame 25 vlan:35 pppoe 2001:db8:666::1 2001:db8:1::57 445
is "IPv6 over PPPoE in a VLAN too" 25 "$(($(packets indicator 2001:db8:666::/48) - before))"
# tc sees a frame after the kernel took its outermost tag off, so there three tags are two
[ "$mode" = native ] && is "three VLAN tags pass, counted by their own reason" 5 "$(
	before=$(packets reason too-many-tags)
	frame 5 vlan:1 vlan:2 vlan:3 203.0.113.7 192.0.2.57 445
	echo $(($(packets reason too-many-tags) - before))
)"
is "the letter's count is the sum of its indicators" True \
	"$(khien stats --by indicator --json | json "sum(r['packets'] for r in d['rows'])" | {
		read -r sum
		khien stats --by advisory --json | json "sum(r['packets'] for r in d['rows']) == $sum"
	})"
is "the machine that called is named with its MAC" "00:00:5e:00:53:57" \
	"$(khien stats --by host --json | json "[r['extra'] for r in d['rows'] if r['key'] == '192.0.2.57'][0]")"
contains "why names the letter" list.txt "$(khien why 203.0.113.7)"
contains "why names what a machine called" 203.0.113.7 "$(khien why 192.0.2.57)"

runs "an allow needs a note" 2 khien allow 203.0.113.7
runs "an allow with a note is taken" 0 khien allow 203.0.113.7 --note "họp trực tuyến" --ttl 1h
is "an allowed address passes at once" internet "$(office_get lan1 http://203.0.113.7/)"
runs "it is taken back" 0 khien disallow 203.0.113.7
is "and is dropped again" "" "$(office_get lan1 http://203.0.113.7/)"

runs "a letter can be only monitored" 0 khien monitor list.txt
is "then its addresses pass" internet "$(office_get lan1 http://203.0.113.7/)"
is "and are counted as monitored" True "$(khien stats --json | json "d['total']['packets_monitored'] > 0")"
runs "and enforced again" 0 khien enforce list.txt
is "dropped again" "" "$(office_get lan1 http://203.0.113.7/)"
runs "verify agrees" 0 khien verify
runs "an undo leaves what later changes touched, and says so" 3 khien undo 1
runs "the letter is withdrawn" 0 khien unblock --ref list.txt
is "nothing of it is blocked then" internet "$(office_get lan1 http://203.0.113.7/)"
runs "the withdrawal is undone" 0 khien undo
is "and it is blocked again" "" "$(office_get lan1 http://203.0.113.7/)"

runs "a block for a moment" 0 khien block 203.0.113.77 --ttl "${LAB_TTL:-2}s" --yes
is "is dropped" "" "$(office_get lan1 http://203.0.113.77/)"
lab_daemon_stop KILL
lab_wait "the deadline" test -n "$(for ((i = 0; i < 5; i++)); do office_get lan1 http://203.0.113.77/ && break; done)"
is "and ends on time with the daemon dead" internet "$(office_get lan1 http://203.0.113.77/)"
finish
