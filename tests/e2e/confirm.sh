#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Confirm or it comes back, and never locked out. A change that nobody confirms lets go of packets at its time with the daemon dead, and is taken back
# when it lives again; one that is confirmed stays. The SSH session of the person who pushes is spared while it lives (a TCP connection stands in for it,
# told by SSH_CONNECTION as sshd does), another one that is on the list is blocked, with an alarm.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/lab.sh
. "$here/lab.sh"
# shellcheck source=tests/e2e/check.sh
. "$here/check.sh"
need_root

KHIEN_LANG=en lab_up
unset SSH_CONNECTION
export LC_ALL=C.UTF-8
lab_web "$lab_net" 80 "internet"
lab_daemon_start || exit 1
lab_wait "the web server" office_get lan1 http://203.0.113.7/
passes() { [ "$(office_get lan1 "http://$1/")" = internet ]; }
drops() { ! passes "$1"; }
waiting() { khien status --json | json "[w['change'] for w in d['unconfirmed']]"; }
state() { khien list --json | json "[i['state'] for i in d['indicators'] if i['value'] == '$1']"; }
member() { json "d['$1']"; }
history_of() { khien history --json | json "[c['$2'] for c in d['changes'] if c['id'] == $1][0]"; }
taken_back() { [ "$(history_of "$1" confirmation | json_state)" = taken-back ]; }
json_state() { python3 -c 'import sys,ast; print(ast.literal_eval(sys.stdin.read())["state"])'; }

# ---- What may wait, and for how long --------------------------------------------------------------

runs "29 seconds are too short" 2 khien block 203.0.113.9 --yes --confirm-within 29s
runs "25 hours are too long" 2 khien block 203.0.113.9 --yes --confirm-within 25h
runs "what blocks nothing needs none" 2 khien block 203.0.113.9 --yes --monitor --confirm-within 5m
runs "nor what ends before" 2 khien block 203.0.113.9 --yes --ttl 4m --confirm-within 5m
runs "nothing waits" 1 khien confirm
contains "and it says so" "nothing waits for confirmation" "$(khien confirm 2>&1)"
is "none of this was a change" 0 "$(khien history --json | json "len(d['changes'])")"

# ---- The daemon dies ------------------------------------------------------------------------------

runs "an order that stays" 0 khien block 203.0.113.10 --yes --ref 1/TEST
printf '203.0.113.7\n203.0.113.8\n203.0.113.10\n' >"$lab_dir/list.txt"
out=$(khien push --yes --ref 1/TEST --ttl 7d --confirm-within 30s "$lab_dir/list.txt")
change=$(khien history --json | json "d['changes'][0]['id']")
contains "the answer says until when, and what to type" "UNLESS CONFIRMED → khien confirm $change" "$out"
is "it is enforced" "['enforced']" "$(state 203.0.113.7)"
is "packets are dropped" "" "$(office_get lan1 http://203.0.113.7/)"
is "status tells that it waits" "[$change]" "$(waiting)"
contains "to a person too" "khien confirm $change" "$(khien status)"
contains "and list shows the earlier end" "True" "$(khien list --json | json "[i['ends'] < i['expires'] and i['unconfirmed'] == $change for i in d['indicators'] if i['value'] == '203.0.113.7']")"
contains "why does too" "khien confirm $change" "$(khien why 203.0.113.7)"
contains "history marks it" "waits for confirmation until" "$(khien history)"
lab_daemon_stop KILL
is "killed: still dropped" "" "$(office_get lan1 http://203.0.113.7/)"
lab_wait "the time to be over" passes 203.0.113.7 || lab_wait "a little more" passes 203.0.113.7
is "with the daemon dead, packets pass again" internet "$(office_get lan1 http://203.0.113.7/)"
is "all of it does" internet "$(office_get lan1 http://203.0.113.8/)"
is "but not what was blocked before" "" "$(office_get lan1 http://203.0.113.10/)"
lab_daemon_start || exit 1
is "at its start the daemon has taken it back" taken-back "$(history_of "$change" confirmation | json_state)"
is "as itself" khiend "$(khien history --json | json "d['changes'][0]['actor']")"
is "by an undo" "$change" "$(khien history --json | json "d['changes'][0]['undoes']")"
contains "that says why" "change $change was not confirmed in time" "$(khien history --json)"
is "the orders are gone" "[]" "$(state 203.0.113.7)"
is "and the one before is as it was" "[None]" "$(khien list --json | json "[i['expires'] for i in d['indicators'] if i['value'] == '203.0.113.10']")"
runs "too late to confirm" 1 khien confirm "$change"
contains "it says when and by which change it was taken back" "by change $((change + 1))" "$(khien confirm "$change" 2>&1)"
contains "also when nothing is named" "khien undo $((change + 1))" "$(khien confirm 2>&1)"
runs "a change that was never to be confirmed" 1 khien confirm 1

# ---- In time, two at once, an undo between ----------------------------------------------------------

one=$(khien block 203.0.113.11 --yes --json --confirm-within 30s | member change)
two=$(khien block 203.0.113.12 --yes --json --confirm-within 30s | member change)
three=$(khien block 203.0.113.13 --yes --json --confirm-within 30s | member change)
four=$(khien block 203.0.113.14 --yes --json --confirm-within 1h | member change)
is "four wait" "[$one, $two, $three, $four]" "$(waiting)"
runs "one is confirmed" 0 khien confirm "$one"
runs "one is undone by a person" 0 khien undo "$two"
is "two wait" "[$three, $four]" "$(waiting)"
runs "confirming it again" 1 khien confirm "$one"
runs "confirming what was undone" 1 khien confirm "$two"
lab_wait "the third to be taken back" taken_back "$three" || lab_wait "a little more" taken_back "$three"
is "it passes again" internet "$(office_get lan1 http://203.0.113.13/)"
is "the confirmed one stays dropped" "" "$(office_get lan1 http://203.0.113.11/)"
is "the undone one is free, and undone once" internet "$(office_get lan1 http://203.0.113.12/)"
is "the one with more time is dropped" "" "$(office_get lan1 http://203.0.113.14/)"
contains "all that wait are confirmed, and named" "change $four stays" "$(khien confirm)"
is "nothing waits" "[]" "$(waiting)"
contains "the history tells of the confirmed one" "confirmed by" "$(khien history)"

# ---- accept, enforce ---------------------------------------------------------------------------------

printf '203.0.113.96/27\n198.51.100.77/24\n' >"$lab_dir/wait.txt"
khien push --yes --ref 2/TEST "$lab_dir/wait.txt" >/dev/null
runs "accept can wait" 0 khien accept 198.51.100.0/24 --ref 2/TEST --confirm-within 5m
is "it drops" "" "$(office_get lan1 http://198.51.100.1/)"
runs "and is kept" 0 khien confirm
khien block 203.0.113.15 --yes --monitor --ref 3/TEST >/dev/null
contains "enforce can wait" "UNLESS CONFIRMED" "$(khien enforce 3/TEST --confirm-within 5m)"
is "it drops too" "" "$(office_get lan1 http://203.0.113.15/)"
runs "an undo goes back to monitoring" 0 khien undo
is "as before" "['monitored']" "$(state 203.0.113.15)"
is "and nothing waits" "[]" "$(waiting)"

# ---- The session of the person typing ------------------------------------------------------------------

in_gw_ssh() { nsenter --net="/run/netns/$lab_gw" ncat -lk -p 22 --exec /bin/cat </dev/null >>"$lab_dir/ssh.log" 2>&1 & lab_pids+=($!); }
in_gw_ssh
# An SSH client of an address: what goes into its pipe comes back out of its file, as long as packets pass.
client() { # address
	mkfifo "$lab_dir/in-$1"
	nsenter --net="/run/netns/$lab_net" ncat --source "$1" 192.0.2.129 22 <"$lab_dir/in-$1" >"$lab_dir/out-$1" 2>/dev/null &
	lab_pids+=($!)
	client_pid=$!
}
port_of() { in_gw ss -Htn state established "sport = :22 and dst = $1" | awk '{ n = split($4, a, ":"); print a[n]; exit }'; }
connected() { [ -n "$(port_of "$1")" ]; }
echoed() { grep -q "$2" "$lab_dir/out-$1"; }
lab_wait "the listener" in_gw bash -c 'exec 3<>/dev/tcp/127.0.0.1/22'
client 203.0.113.50
mine=$client_pid
exec 7>"$lab_dir/in-203.0.113.50"
client 203.0.113.51
exec 8>"$lab_dir/in-203.0.113.51"
lab_wait "both connections" connected 203.0.113.50
lab_wait "both connections" connected 203.0.113.51
session="203.0.113.50 $(port_of 203.0.113.50) 192.0.2.129 22"
echo before >&7
echo before >&8
lab_wait "the first echo" echoed 203.0.113.50 before
lab_wait "the other's" echoed 203.0.113.51 before

printf '203.0.113.50\n203.0.113.51\n203.0.113.52\n' >"$lab_dir/ssh.txt"
out=$(SSH_CONNECTION="203.0.113.52 4711 192.0.2.129 22" khien push --dry-run --ref 5/TEST "$lab_dir/ssh.txt")
is "who is not connected is not spared" "" "$(grep "session at work" <<<"$out")"
out=$(SSH_CONNECTION=$session khien push --yes --ref 5/TEST "$lab_dir/ssh.txt")
contains "the push says that it touches the session" "203.0.113.50 is where an SSH session at work here comes from" "$out"
contains "and that another is on the list" "203.0.113.51 holds an SSH connection to this gateway" "$out"
contains "the log has the alarm" "event=ssh-peer-blocked peer=203.0.113.51" "$(cat "$lab_dir/khiend.log")"
contains "status tells of it" "203.0.113.51 holds an SSH connection" "$(khien status)"
is "the session stands as ordered" "['enforced']" "$(state 203.0.113.50)"
echo after >&7
lab_wait "the session to go on" echoed 203.0.113.50 after
is "the session goes on" after "$(tail -n 1 "$lab_dir/out-203.0.113.50")"
echo after >&8
is "the others of the list are dropped" "" "$(office_get lan1 http://203.0.113.52/)"
is "verify finds nothing amiss" 0 "$(khien verify >/dev/null; echo $?)"
contains "why tells the reason" "ssh: $session" "$(khien why 203.0.113.50)"
kill -HUP "$lab_daemon"
lab_wait "the reload" grep -q event=reloaded "$lab_dir/khiend.log"
echo reloaded >&7
lab_wait "the session after a reload" echoed 203.0.113.50 reloaded
lab_daemon_stop KILL
lab_daemon_start || exit 1
echo restarted >&7
lab_wait "the session after a restart" echoed 203.0.113.50 restarted
is "it outlives the daemon" restarted "$(tail -n 1 "$lab_dir/out-203.0.113.50")"
is "the other one was cut off all the while" before "$(tail -n 1 "$lab_dir/out-203.0.113.51")"

kill "$mine"
exec 7>&-
lab_wait "the end of the session" grep -q "event=session-ended" "$lab_dir/khiend.log"
lab_wait "its address to be blocked" drops 203.0.113.50
is "after its end the address is blocked" "" "$(office_get lan1 http://203.0.113.50/)"
exec 8>&-
finish
