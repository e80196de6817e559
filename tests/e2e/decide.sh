#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The queue: what waits is enforced when a person names it, and stays decided when the same letter is pushed again.
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
lab_wait "the web server" office_get lan1 http://203.0.113.7/
state() { khien list --json | json "[i['state'] for i in d['indicators'] if i['value'] == '$1']"; }

printf '203.0.113.5/25\n203.0.113.200\n198.51.100.7/24\n' >"$lab_dir/list.txt"
runs "host bits set: some of it waits" 3 khien push --yes --ref 7/TEST "$lab_dir/list.txt"
is "what waits is not enforced" internet "$(office_get lan1 http://203.0.113.5/)"
is "two values wait" 2 "$(khien review --json | json "len(d['indicators'])")"
runs "one is accepted by name" 0 khien accept 203.0.113.0/25 --ref 7/TEST
is "and dropped at once" "" "$(office_get lan1 http://203.0.113.5/)"
runs "a rejection needs a note" 2 khien reject 198.51.100.0/24 --ref 7/TEST
runs "the other is rejected" 0 khien reject 198.51.100.0/24 --ref 7/TEST --note "cả mạng của nhà cung cấp"
is "nothing waits any more" 0 "$(khien review --json | json "len(d['indicators'])")"
changes=$(khien history --json | json "len(d['changes'])")
khien push --yes --ref 7/TEST "$lab_dir/list.txt" >/dev/null
is "the same letter again spends no change" "$changes" "$(khien history --json | json "len(d['changes'])")"
is "the accepted value stays enforced" "['enforced']" "$(state 203.0.113.0/25)"
is "and packets to it stay dropped" "" "$(office_get lan1 http://203.0.113.5/)"
is "and the rejected one does not come back" 0 "$(khien review --json | json "len(d['indicators'])")"

printf 'Kính gửi: Các đơn vị\n\nMáy chủ 203.0.113.210 được nhắc tới trong một câu của công văn này.\n' >"$lab_dir/cv.txt"
printf '203.0.113.210\n' >"$lab_dir/phu-luc.txt"
runs "what a letter only mentions waits" 3 khien push --dry-run --ref 9/TEST "$lab_dir/cv.txt"
runs "what its annex lists is enforced, and asked about no more" 0 khien push --yes --ref 9/TEST "$lab_dir/cv.txt" "$lab_dir/phu-luc.txt"
is "in whatever order" 0 "$(khien push --dry-run --json --ref 10/TEST "$lab_dir/phu-luc.txt" "$lab_dir/cv.txt" | json "d['counts']['review']")"
is "and once" "['enforced']" "$(state 203.0.113.210)"
khien unblock --ref 9/TEST --yes >/dev/null 2>&1 || khien unblock --ref 9/TEST >/dev/null

runs "a second letter on the same value" 0 khien block 203.0.113.200 --ref 8/TEST --yes
runs "the first letter is withdrawn" 0 khien unblock --ref 7/TEST
is "the value stays blocked by the second" "" "$(office_get lan1 http://203.0.113.200/)"
is "what only the first ordered is free" internet "$(office_get lan1 http://203.0.113.5/)"
runs "the second is withdrawn" 0 khien unblock 203.0.113.200
is "then it is free" internet "$(office_get lan1 http://203.0.113.200/)"
runs "extend gives an ended order new time" 0 khien block 203.0.113.201 --ttl 1h --yes
runs "by value" 0 khien extend 203.0.113.201 --ttl 7d
runs "an unknown letter is an error" 1 khien show 999/NOWHERE
runs "a letter without indicators is kept all the same" 0 khien push --yes "$lab_root/rules/advisories/cong-van-cve.txt"
number=$(khien read --json "$lab_root/rules/advisories/cong-van-cve.txt" | json "d['documents'][0]['letter']['number']")
is "with the vulnerabilities it names" True "$(khien show "$number" --json | json "len(d['cves']) > 0")"
changes=$(khien history --json | json "len(d['changes'])")
khien push --yes "$lab_root/rules/advisories/cong-van-cve.txt" >/dev/null
is "and once" "$changes" "$(khien history --json | json "len(d['changes'])")"
khien block 203.0.113.202 --ref 81/A --yes >/dev/null
khien block 203.0.113.203 --ref 81/B --yes >/dev/null
runs "an ambiguous letter lists the candidates" 2 khien show 81
finish
