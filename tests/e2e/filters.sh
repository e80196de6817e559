#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Somebody takes off what khiend attached, while it runs: filters and the qdisc that holds them on a kernel without tcx (before 6.6: played here by
# tests/e2e/kernel_before.c, where the kernel is newer), links and their pins on all. It is put back at once, said, and kept in the record of
# health; what belongs to others stays, also when everything is taken off at the end.
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "$0")/check.sh"
. "$(dirname "$0")/lab.sh"
need_root
command -v tc > /dev/null || { echo "skipped: no tc"; exit 77; }
lab_mode=tc KHIEN_LANG=en lab_up
export LC_ALL=C.UTF-8
lab_web "$lab_net" 80 "internet"
filters() { in_gw tc filter show dev "$1" "$2" | grep -c khien_; }
index() { in_gw ip -j link show "$1" | json "d[0]['ifindex']"; }
has_filter() { [ "$(filters "$1" "$2")" = 1 ]; }
times() { grep -c "$1" "$lab_dir/khiend.log"; }
more_than() { [ "$(times "$2")" -gt "$1" ]; }
health() { python3 -c "import sqlite3, sys; print(*(row[0] + ': ' + row[1] for row in sqlite3.connect(sys.argv[1]).execute('SELECT state, problems FROM health ORDER BY id')), sep='\n')" "$lab_dir/state/ledger.db"; }
packets() { khien stats --by indicator --json | json "sum(r['packets'] for r in d['rows'] if r['key'] == '203.0.113.7')"; }

# ---- Without tcx --------------------------------------------------------------------------------

in_gw tc qdisc add dev eth1 clsact
in_gw tc filter add dev eth1 ingress prio 9 protocol all bpf bytecode '1,6 0 0 4294967295' || exit 1 # somebody's: goes on to the next
lab_launcher=(env KH_TEST_NO_TCX=1 "LD_PRELOAD=$(realpath "$lab_build")/tests/kernel_before.so")
lab_daemon_start || exit 1
lab_wait "the web server" office_get lan1 http://203.0.113.8/
is "all are served by tc" "tc tc tc" "$(khien status --json | json "' '.join(i['mode'] for i in d['interfaces'])")"
is "by a filter" "1 1 1" "$(filters eth0 ingress) $(filters eth0 egress) $(filters eth1 ingress)"
runs "an order" 0 khien block 203.0.113.7 --yes --ref 1/TEST
is "listed is dropped" "" "$(office_get lan1 http://203.0.113.7/)"

in_gw tc filter del dev eth1 ingress prio 19272
lab_wait "the filter" has_filter eth1 ingress
is "a filter that was deleted is put back" 1 "$(filters eth1 ingress)"
before=$(packets)
is "listed is dropped again" "" "$(office_get lan1 http://203.0.113.7/)"
is "and counted" True "$(python3 -c "print($(packets) > $before)")"
is "unlisted passes" internet "$(office_get lan1 http://203.0.113.8/)"
contains "the journal says so" "interface=eth1 asked=eth1 mode=tc egress=0 again=1" "$(grep event=attached "$lab_dir/khiend.log")"
contains "the moment is in the record of health" "degraded: eth1 was without protection for a moment" "$(health)"
is "and it ended" protected "$(health | tail -n 1 | cut -d: -f1)"

in_gw tc qdisc del dev eth0 clsact
lab_wait "the filters" has_filter eth0 egress
lab_wait "the filters" has_filter eth0 ingress
is "a qdisc that was deleted is made again, with both filters" "1 1" "$(filters eth0 ingress) $(filters eth0 egress)"
before=$(times "interface=eth0.*again=1")
is "which was said" True "$(python3 -c "print($before >= 1)")"
for i in 1 2 3 4 5; do
	in_gw tc qdisc del dev eth2 clsact
	lab_wait "the filter, time $i" has_filter eth2 ingress
done
is "however often" 1 "$(filters eth2 ingress)"
is "status says protected" protected "$(khien status --json | json "d['health']")"

runs "detach" 0 khien detach
is "our filters are gone" "0 0 0" "$(filters eth0 ingress) $(filters eth0 egress) $(filters eth1 ingress)"
is "somebody's filter is there still" 1 "$(in_gw tc filter show dev eth1 ingress | grep -c 'pref 9 .*bytecode')"
is "and so is the qdisc" 1 "$(in_gw tc qdisc show dev eth1 | grep -c clsact)"
in_gw tc qdisc del dev eth2 clsact
is "a daemon that took everything off puts nothing back" 0 "$(khien status > "$lab_dir/out"; filters eth2 ingress)"
lab_daemon_stop TERM

# ---- Links and pins: the kernel tells nobody ----------------------------------------------------

lab_launcher=()
sed -i 's/^mode = .*/mode = auto/' "$lab_dir/khien.conf"
lab_daemon_start || exit 1
is "native" native "$(khien status --json | json "d['interfaces'][1]['mode']")"
runs "nobody can take it off by ip link" 2 in_gw ip link set dev eth1 xdp off
link=$(bpftool -j link show pinned "$(echo "$lab_bpffs"/v*/links/xdp-"$(index eth1)")" | json "d['id']")
before=$(times "interface=eth1.*again=1")
bpftool link detach id "$link" || exit 1
lab_wait "the link" more_than "$before" "interface=eth1.*again=1"
is "a link that was detached is made again" 1 "$(in_gw ip -d link show eth1 | grep -c 'prog/xdp id')"
is "listed is dropped again" "" "$(office_get lan1 http://203.0.113.7/)"
before=$(times "interface=eth2.*again=1")
rm "$lab_bpffs"/v*/links/xdp-"$(index eth2)"
lab_wait "the pin" more_than "$before" "interface=eth2.*again=1"
is "and one whose pin was removed" 1 "$(find "$lab_bpffs" -path "*/links/xdp-$(index eth2)" | wc -l)"
lab_wait "protection" grep -q "event=health state=protected" "$lab_dir/khiend.log"
is "status says protected" protected "$(khien status --json | json "d['health']")"
runs "detach" 0 khien detach
is "nothing of ours is left" 0 "$(in_gw ip -d link show | grep -c 'prog/')"
finish
