#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A long plain list is held as one, and nobody can tell: single values of it are looked up, taken out, put back and counted, the letter
# is monitored, withdrawn and brought back as a whole, and all of it survives a restart.
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "$0")/check.sh"
. "$(dirname "$0")/lab.sh"
need_root
KHIEN_LANG=en lab_up
export LC_ALL=C.UTF-8

python3 - "$lab_dir" <<'PYTHON'
import sys
with open(sys.argv[1] + "/feed.txt", "w") as out:
    out.write("# a feed\n")
    for number in range(20000):
        out.write("45.%d.%d.9\n" % (number >> 8, number & 255))
    out.write("203.0.113.7\n2001:db8:bad::7\n8.8.8.8\n45.200.0.1:443\nc2.example\n")
with open(sys.argv[1] + "/letter.txt", "w") as out:
    for number in range(6000):
        out.write("45.%d.%d.7\n" % (number >> 8, number & 255))
    for number in range(300):
        out.write("10.0.%d.%d\n" % (number >> 8, number & 255))
PYTHON
feed=$lab_dir/feed.txt
verdict() { khien why "$1" --json | json "d['verdict']"; }
counted() { khien list --json | json "sum(row['packets'] for row in d['indicators'] if row['value'] == '$1')"; }
orders() { khien status --json | json "d['counts']['enforced']"; }
rows() { khien list --json "$@" | json "len(d['indicators'])"; }
send() { in_office "$lab_build/tests/frame" lan1 3 192.0.2.57 203.0.113.7 80 >/dev/null; }

lab_daemon_start || exit 1
out=$(khien push --yes --ref 1/FEED --json "$feed")
is "a feed: what is plain is enforced, the rest is told" "3 20003 0 1 1" \
	"$? $(json "'%(enforce)d %(review)d %(refuse)d %(unenforceable)d' % d['counts']" <<<"$out")"
is "and proven" True "$(json "d['proof']['tried'] == d['proof']['blocked'] > 0" <<<"$out")"
is "it is counted" 20003 "$(orders)"
is "and listed, each value once" 20003 "$(rows)"
is "a value of it is dropped" dropped "$(verdict 45.3.7.9)"
contains "by the letter, with the line" '"line": 777' "$(khien why 45.3.7.9 --json)"
is "the one beside it is not" passed "$(verdict 45.3.7.8)"
send
is "its packets are counted" 3 "$(counted 203.0.113.7)"
contains "for the machine and the letter" 1/FEED "$(khien stats)"
contains "by letter" "1/FEED" "$(khien stats --by advisory)"

# Of a long plan a part is shown, and of each decision.
by_decision="'%d %d %d' % (*map([row['decision'] for row in d['rows']].count, ('enforce', 'refuse')), d['omitted'])"
is "of a list 5,000 rows are answered, and all that is refused" "5000 1 15003" "$(khien push --dry-run --ref 2/FEED --json "$feed" | json "$by_decision")"
is "of a letter, too" "5000 300 1000" "$(khien push --dry-run --ref 3/LETTER --json "$lab_dir/letter.txt" | json "$by_decision")"
out=$(khien push --yes --ref 3/LETTER "$lab_dir/letter.txt" | tr -s ' ')
contains "at the terminal twelve rows" "… and 5988 more" "$out"
contains "of each decision" "… and 288 more" "$out"
contains "with their number" "BLOCK 6000 45.0.0.7" "$out"
contains "and what came of them" "To block 6000 · to review 0 · refused 300" "$out"
runs "and it is withdrawn" 0 khien unblock --ref 3/LETTER

again=$(khien push --yes --ref 1/FEED --json "$feed")
is "pushed again: nothing is new" "20005" "$(json "d['counts']['unchanged']" <<<"$again")"

runs "one value is taken out" 0 khien unblock 45.3.7.9 --ref 1/FEED
is "and passes" passed "$(verdict 45.3.7.9)"
is "the others do not" dropped "$(verdict 45.3.8.9)"
is "one less is enforced" 20002 "$(orders)"
runs "undone" 0 khien undo
is "it is dropped again" "dropped 20003" "$(verdict 45.3.7.9) $(orders)"
runs "one value is monitored" 0 khien monitor 203.0.113.7
send
is "and counted on" 6 "$(counted 203.0.113.7)"
is "monitored" monitored "$(verdict 203.0.113.7)"
runs "another gets a deadline" 0 khien extend 45.0.0.9 --ttl 7d
is "which is told" 1 "$(rows --expiring 8d)"

runs "the letter is withdrawn" 0 khien unblock --ref 1/FEED
is "nothing of it is enforced" "0 passed" "$(orders) $(verdict 45.3.8.9)"
runs "undone as well" 0 khien undo
is "all is as it was" "20002 monitored dropped" "$(orders) $(verdict 203.0.113.7) $(verdict 45.3.8.9)"
runs "the letter is monitored" 0 khien monitor 1/FEED
is "as a whole" "0 monitored" "$(orders) $(verdict 45.3.8.9)"
runs "and enforced" 0 khien enforce 1/FEED
is "as a whole" "20003 dropped" "$(orders) $(verdict 203.0.113.7)"

lab_daemon_stop KILL
lab_daemon_start || exit 1
is "after a restart all is there" "20003 20003 dropped 6" "$(orders) $(rows) $(verdict 45.3.8.9) $(counted 203.0.113.7)"
send
is "and counts go on" 9 "$(counted 203.0.113.7)"

runs "the feed again, for an hour" 3 khien push --yes --ref 1/FEED --ttl 1h "$feed"
is "each value still once" "20003 20003" "$(orders) $(rows --expiring 2h)"
runs "undone" 0 khien undo
is "without a deadline again" "20003 1" "$(orders) $(rows --expiring 8d)"
runs "verify agrees" 0 khien verify
runs "detach" 0 khien detach
finish
