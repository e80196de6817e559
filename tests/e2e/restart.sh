#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The daemon dies, stops, comes back: packets notice nothing, counters go on. detach removes everything, and nothing else.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/lab.sh
. "$here/lab.sh"
# shellcheck source=tests/e2e/check.sh
. "$here/check.sh"
need_root

lab_up
lab_web "$lab_net" 80 "internet"
# An empty clsact is nothing: before Linux 6.6 it is made for our filter, and left, as others may have put theirs there since.
qdiscs() { in_gw ip -d link show | grep -E 'xdp|prog'; in_gw tc qdisc show | grep -v ' clsact '; }
filters() { in_gw ip -o link | cut -d: -f2 | cut -d@ -f1 | while read -r device; do in_gw tc filter show dev "$device" ingress; in_gw tc filter show dev "$device" egress; done 2> /dev/null; }
before_all=$(qdiscs)
lab_daemon_start || exit 1
frame() { in_net "$lab_build/tests/frame" wan "$@"; }
packets() { khien stats --by indicator --json | json "sum(r['packets'] for r in d['rows'] if r['key'] == '$1')"; }

lab_wait "the web server" office_get lan1 http://203.0.113.7/
runs "an order" 0 khien block 203.0.113.7 --yes --ref 1/TEST
frame 50 203.0.113.7 192.0.2.57 445
is "is counted" 50 "$(packets 203.0.113.7)"

lab_daemon_stop KILL
is "killed: listed is dropped" "" "$(office_get lan1 http://203.0.113.7/)"
is "killed: unlisted passes" internet "$(office_get lan1 http://203.0.113.8/)"
frame 30 203.0.113.7 192.0.2.57 445
runs "khien says that the daemon is away" 4 khien status
links_before=$(find "$lab_bpffs" -type f | wc -l)
lab_daemon_start || exit 1
is "the restart adopts the same links" "$links_before" "$(find "$lab_bpffs" -type f | wc -l)"
sent=$(office_get lan1 http://203.0.113.7/; packets 203.0.113.7)
is "every counter goes on, through the kill" True "$(python3 -c "print(${sent} >= 81)")"
exact=$(packets 203.0.113.7)
lab_daemon_stop TERM
frame 20 203.0.113.7 192.0.2.57 445
lab_daemon_start || exit 1
is "and through a clean stop, exactly" $((exact + 20)) "$(packets 203.0.113.7)"
is "the generation did not change" 2 "$(khien status --json | json "d['generation']['number']")"

out=$(in_gw "$lab_build/khiend" --config "$lab_dir/khien.conf" --state "$lab_dir/state" --run "$lab_dir/run" --bpffs "$lab_bpffs" 2>&1)
is "a second daemon on the same state is refused" 1 $?
contains "and says so" "$lab_dir" "$out"

# An older copy of the ledger, or one that lost the end of its log, knows less than what is in force.
problems() { khien status --json | json "[p['code'] for p in d['problems'] if p['code'].startswith('ledger')]"; }
lab_daemon_stop TERM
cp "$lab_dir/state/ledger.db" "$lab_dir/older.db"
lab_daemon_start || exit 1
runs "another order" 0 khien block 203.0.113.9 --yes --ref 2/TEST
is "nothing is wrong with the ledger" "[]" "$(problems)"
lab_daemon_stop TERM
cp "$lab_dir/older.db" "$lab_dir/state/ledger.db"
lab_daemon_start || exit 1
is "an older ledger is told of" "['ledger-older']" "$(problems)"
is "its list serves" internet "$(office_get lan1 http://203.0.113.9/)"
lab_daemon_stop TERM
lab_daemon_start || exit 1
is "until a person has seen to it" "[]" "$(problems)"

runs "detach" 0 khien detach
is "removes everything it made, and nothing else" "$before_all" "$(qdiscs)"
is "no filter either" "" "$(filters)"
is "no pin is left" "" "$(find "$lab_bpffs" -type f 2>/dev/null)"
is "after it listed addresses pass" internet "$(office_get lan1 http://203.0.113.7/)"
finish
