#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Jumbo frames, MTU 9000, on veth and on virtio cards. A driver that cannot give frames of several buffers to XDP refuses the program (virtio before Linux
# 6.3): there tc serves by itself, and is said to. Either way large packets are judged, counted exactly and passed unharmed.
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "$0")/../e2e/check.sh"
. "$(dirname "$0")/../e2e/lab.sh"
. "$(dirname "$0")/cards.sh"
need_root
ip link show card0 > /dev/null 2>&1 || { echo "skipped: no pair of virtio cards"; exit 77; }

rows() { khien stats --by "$1" --json | json "sum(r['$3'] for r in d['rows'] if r['key'] == '$2')"; }
mode_of() { khien status --json | json "[i['mode'] for i in d['interfaces'] if i['name'] == '$1'][0]"; }
large() { "in_$1" ping -c 5 -i 0.3 -s 8000 -M "do" -W "${LAB_PATIENCE:-1}" "${@:2}" | sed -n 's/.* \([0-9]*\) received.*/\1/p'; }

judged() { # where
	local before before_bytes
	lab_wait "the other side" in_gw ping -c 1 -W 1 192.0.2.130
	is "$1: large packets come through at first" 5 "$(large office 203.0.113.7)"
	runs "$1: an order" 0 khien block 203.0.113.7 2001:db8:666::/48 --yes --ref 1/TEST
	before=$(rows indicator 203.0.113.7 packets) before_bytes=$(rows indicator 203.0.113.7 bytes)
	is "$1: large ones to a listed host are dropped" 0 "$(large office 203.0.113.7)"
	is "$1: from it too" 0 "$(large net -I 203.0.113.7 192.0.2.57)"
	is "$1: counted exactly" 10 "$(($(rows indicator 203.0.113.7 packets) - before))"
	is "$1: their layer-3 bytes too" $((10 * 8028)) "$(($(rows indicator 203.0.113.7 bytes) - before_bytes))"
	is "$1: IPv6 too" "0 5" "$(large office 2001:db8:666::10) $(rows indicator 2001:db8:666::/48 packets)"
	is "$1: large ones to and from another host pass" "5 5" "$(large office 203.0.113.8) $(large net -I 203.0.113.8 192.0.2.57)"
	is "$1: IPv6 too" 5 "$(large office 2001:db8:777::10)"
	is "$1: a megabyte arrives as it was sent" "$(sha256sum < "$lab_dir/megabyte")" "$(office_get lan1 http://203.0.113.8:8000/megabyte | sha256sum)"
	runs "$1: verify agrees" 0 khien verify
}

start() { # the laboratory with MTU 9000 everywhere
	KHIEN_LANG=en lab_up
	export LC_ALL=C.UTF-8
	[ "$1" = cards ] && trap 'lab_cards_down; lab_down' EXIT && lab_cards_up
	for end in "gw eth0" "gw eth1" "net wan" "office lan1"; do
		"in_${end% *}" ip link set "${end#* }" mtu 9000
	done
	head -c 1000000 /dev/urandom > "$lab_dir/megabyte"
	nsenter --net="/run/netns/$lab_net" python3 -m http.server --directory "$lab_dir" 8000 > "$lab_dir/web.log" 2>&1 &
	lab_pids+=($!)
	lab_daemon_start || exit 1
}

start veth
is "veth takes the program natively" "native native" "$(mode_of eth0) $(mode_of eth1)"
judged veth
lab_down

start cards
wanted=native
read -r major minor < <(uname -r | sed 's/^\([0-9]*\)\.\([0-9]*\).*/\1 \2/')
((major * 100 + minor < 603)) && wanted=tc
is "virtio of Linux $major.$minor: $wanted" "$wanted native" "$(mode_of eth0) $(mode_of eth1)"
[ "$wanted" = tc ] && contains "status says what serves there" "tc" "$(khien status | grep eth0)"
is "protected all the same" protected "$(khien status --json | json "d['health']")"
judged virtio
runs "detach" 0 khien detach
finish
