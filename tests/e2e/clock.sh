#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The clock jumps by a day, to and fro, with the daemon alive, dead, and starting: no order ends early, none late, whatever the clock says, until it is
# synchronised, or an administrator says that it is right.
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "$0")/check.sh"
. "$(dirname "$0")/lab.sh"
. "$(dirname "$0")/jump.sh"
need_root
KHIEN_LANG=en lab_up
jump_ready
export LC_ALL=C.UTF-8
lab_web "$lab_net" 80 "internet"
ends() { khien list --json | json "[i['expires'] for i in d['indicators'] if i['value'] == '$1']"; }
held() { khien list --json | json "sorted(i['value'] for i in d['indicators'] if i['state'] == 'enforced')"; }
dropped() { office_get lan1 "http://$1/"; }
waits() { khien status --json | json "[w['until'] for w in d['unconfirmed']]"; }
moved_on() { [ "$(waits)" != "$before" ]; }
ended() { ! held | grep -q "'$1'"; }
passes() { [ "$(dropped "$1")" = internet ]; }
day=86400

lab_daemon_start || exit 1
lab_wait "the web server" passes 203.0.113.8
runs "for ever" 0 khien block 203.0.113.7 --yes --ref 1/TEST
runs "for an hour" 0 khien block 203.0.113.9 --ttl 1h --yes
runs "for two days" 0 khien block 203.0.113.10 --ttl 2d --yes
all="['203.0.113.10', '203.0.113.7', '203.0.113.9']" end=$(ends 203.0.113.9)
is "all three are dropped" "" "$(dropped 203.0.113.7)$(dropped 203.0.113.9)$(dropped 203.0.113.10)"
sync_state 64

for step in $day -$day; do
	jump $step
	lab_wait "the jump to be seen" doubted
	contains "by $step seconds: the clock is not believed" "is not believed" "$(problem)"
	contains "and what to do" "khien confirm clock" "$(khien status)"
	is "nothing has ended" "$all" "$(held)"
	is "all three are dropped" "" "$(dropped 203.0.113.7)$(dropped 203.0.113.9)$(dropped 203.0.113.10)"
	is "no deadline has moved" "$end" "$(ends 203.0.113.9)"
	runs "an order for a moment is taken" 0 khien block 203.0.113.77 --ttl "${LAB_TTL:-15}s" --yes
	is "it is dropped" "" "$(dropped 203.0.113.77)"
	start=$SECONDS
	lab_wait "its end" passes 203.0.113.77
	is "it ends by the time that passes" 1 "$((SECONDS - start <= ${LAB_TTL:-15} + 60))"
	lab_daemon_stop TERM
	lab_daemon_start || exit 1
	contains "started again under that clock, the daemon does not believe it either" "is not believed" "$(problem)"
	is "and nothing has ended" "$all" "$(held)"
	is "all three are dropped" "" "$(dropped 203.0.113.7)$(dropped 203.0.113.9)$(dropped 203.0.113.10)"
	jump $((-step))
	lab_wait "the clock to be believed" trusted
	is "put right: all is well" "protected" "$(khien status --json | json "d['health']")"
	is "and nothing has ended" "$all" "$(held)"
done

# ---- The daemon is dead ---------------------------------------------------------------------------

runs "an order for a moment" 0 khien block 203.0.113.78 --ttl "${LAB_TTL:-15}s" --yes
lab_daemon_stop KILL
jump $((-day))
is "the daemon dead, the clock a day behind: dropped" "" "$(dropped 203.0.113.9)"
lab_wait "its end" passes 203.0.113.78
is "a moment is as long as it was" internet "$(dropped 203.0.113.78)"
jump $((2 * day))
is "a day ahead: the hour is not over" "" "$(dropped 203.0.113.9)"
jump $((-day))

# ---- After a reboot: nothing is left but the ledger -------------------------------------------------

lab_daemon_start || exit 1
lab_daemon_stop TERM
for step in $day -$day; do
	in_gw "$lab_build/khiend" --config "$lab_dir/khien.conf" --state "$lab_dir/state" --run "$lab_dir/run" --bpffs "$lab_bpffs" --detach > /dev/null 2>&1
	is "no program is left" internet "$(dropped 203.0.113.7)"
	jump $step
	lab_daemon_start || exit 1
	contains "booted with a clock $step seconds off: it is not believed" "is not believed" "$(problem)"
	is "nothing ends" "$all" "$(held)"
	is "all three are dropped" "" "$(dropped 203.0.113.7)$(dropped 203.0.113.9)$(dropped 203.0.113.10)"
	jump $((-step))
	lab_wait "the clock to be believed" trusted
	is "put right: nothing has ended" "$all" "$(held)"
	lab_daemon_stop TERM
done

# ---- A day has really passed ------------------------------------------------------------------------

lab_daemon_start || exit 1
jump $day
sync_state 0
lab_wait "the end of the hour" passes 203.0.113.9
is "synchronised: what is over has ended" "['203.0.113.10', '203.0.113.7']" "$(held)"
is "and nothing else" "" "$(dropped 203.0.113.7)$(dropped 203.0.113.10)"
sync_state 64
jump $day
lab_wait "the jump to be seen" doubted
is "not synchronised: two days are not over" "" "$(dropped 203.0.113.10)"
runs "an order for an hour, given meanwhile" 0 khien block 203.0.113.11 --ttl 1h --yes
runs "one that is to be confirmed within an hour" 0 khien block 203.0.113.12 --confirm-within 1h --yes --ref 2/TEST
runs "an administrator says that the clock is right" 0 khien confirm clock
is "two days are over" internet "$(dropped 203.0.113.10)"
is "the hour is not" "" "$(dropped 203.0.113.11)"
is "nor the other" "" "$(dropped 203.0.113.12)"
lab_wait "the end of two days" ended 203.0.113.10
is "the ledger says so" "['203.0.113.11', '203.0.113.12', '203.0.113.7']" "$(held)"
is "all is well" protected "$(khien status --json | json "d['health']")"
runs "there is nothing more to say of it" 1 khien confirm clock
contains "the audit has it" "confirm" "$(khien history --json | head -c 4000)"

# ---- Confirm, or it comes back, whatever the clock does -----------------------------------------------

runs "one is to be confirmed within half a minute" 0 khien block 203.0.113.13 --confirm-within 30s --yes
jump $((-day))
lab_wait "the jump to be seen" doubted
is "the clock is set back: it is dropped" "" "$(dropped 203.0.113.13)"
lab_wait "the end of half a minute" ended 203.0.113.13 || lab_wait "a little more" ended 203.0.113.13
is "not confirmed: it passes" internet "$(dropped 203.0.113.13)"
jump $day
lab_wait "the clock to be believed" trusted
before=$(waits)
jump $day
sync_state 0
lab_wait "the synchronised clock to be followed" moved_on
is "it jumps by a day and is synchronised: who has an hour to confirm still has it" "" "$(dropped 203.0.113.12)"
jump $((-4 * day))
runs "detach" 0 khien detach
finish
