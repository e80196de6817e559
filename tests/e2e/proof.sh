#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The daemon proves all day that what is ordered is enforced: a list that the kernel has lost behind its back is told within seconds, and is
# no longer once it is back.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/lab.sh
. "$here/lab.sh"
# shellcheck source=tests/e2e/check.sh
. "$here/check.sh"
need_root

lab_up
lab_web "$lab_net" 80 "internet"
lab_daemon_start || exit 1
state() { khien status --json | json "$1"; }
proven() { [ "$(state "d['verified']['ordered'], d['verified']['enforced']" 2>/dev/null)" = "$1" ]; }
healthy() { [ "$(state "d['health']")" = "$1" ]; }

lab_wait "the web server" office_get lan1 http://203.0.113.7/
runs "single values" 0 khien block 203.0.113.7 2001:db8:666::/48 203.0.113.99:443/tcp --yes --ref 1/TEST
runs "monitored is not to be dropped" 0 khien block 203.0.113.8 --monitor --yes
is "nobody asked, and all of it was tried" 0 "$(lab_wait "a round" proven "(3, 3)" >/dev/null; echo $?)"

for place in 1 2 3; do # one of them is in force, and there need be no others
	bpftool map delete pinned "$lab_bpffs"/v*/maps/bases key "$place" 0 0 0 2>/dev/null
done
is "the kernel has lost the list" internet "$(office_get lan1 http://203.0.113.7/)"
is "which is found" 0 "$(lab_wait "degraded" healthy degraded >/dev/null; echo $?)"
contains "by value" "203.0.113.7 is ordered and not enforced" "$(khien status --lang en)"
contains "in the journal too" "event=not-enforced value=203.0.113.7" "$(cat "$lab_dir/khiend.log")"
runs "khien verify says so" 1 khien verify
runs "the next change brings all of it back" 0 khien block 203.0.113.9 --yes --ref 1/TEST
is "the first is dropped again" "" "$(office_get lan1 http://203.0.113.7/)"
is "and that is proven" 0 "$(lab_wait "a round" proven "(4, 4)" >/dev/null; echo $?)"
is "protected" protected "$(state "d['health']")"
finish
