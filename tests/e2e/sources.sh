#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sources: a real server with real lists, good and bad. What it brings is monitored, promoted, replaced and withdrawn; whatever goes wrong, the
# last good copy stays in force; nothing secret is written down.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/lab.sh
. "$here/lab.sh"
# shellcheck source=tests/e2e/check.sh
. "$here/check.sh"
need_root

KHIEN_LANG=en lab_up
export LC_ALL=C.UTF-8
lab_web "$lab_net" 80 "internet"
server=203.0.113.80
feeds=$lab_dir/feeds
mkdir "$feeds"

feed_up() { # port [certificate key]
	nsenter --net="/run/netns/$lab_net" "$here/feeds.py" "$feeds" "$server" "$@" </dev/null >>"$lab_dir/feeds.log" 2>&1 &
	lab_pids+=($!)
	feed_pid=$!
	lab_wait "the server of lists" in_gw ncat -z "$server" "$1"
}
source_is() { khien source show "$1" --json | json "d['source']['$2']"; }
state() { khien list --json --ref "source/$1" | json "[i['state'] for i in d['indicators'] if i['value'] == '$2']"; }
changes() { khien history --json | json "d['changes'][0]['id'] if d['changes'] else 0"; } # the number of the last
asked() { grep -c "^$1" "$feeds/requests"; }
children() { pgrep -P "$lab_daemon" | wc -l; }

# ---- From nothing to enforced -------------------------------------------------------------------------

printf '203.0.113.7\n203.0.113.9\n2001:db8:bad::1\n' >"$feeds/list.txt"
feed_up 8080
http_pid=$feed_pid
lab_daemon_start || exit 1
runs "no source at first" 0 khien source list
runs "a name with capitals is refused" 2 khien source add Feed "http://$server:8080/list.txt"
runs "an address that is none is refused" 2 khien source add feed "ftp://$server/list.txt"
runs "a password in the address is refused" 2 khien source add feed "https://phong:bi-mat-1@$server/list.txt"
runs "credentials by http are refused" 2 khien source add feed "http://$server/list.txt" --credentials /etc/khien/feed.secret
runs "a deadline shorter than two refreshes is refused" 2 khien source add feed "http://$server/list.txt" --every 6h --ttl 7h
runs "a source is added" 0 khien source add feed "http://$server:8080/list.txt" --every 1h
runs "the same name again is refused" 1 khien source add feed "http://$server:8080/other.txt"
runs "it refreshes" 0 khien source refresh feed
is "it is current" current "$(source_is feed state)"
is "with its values" 3 "$(source_is feed values)"
is "which are monitored at first" "['monitored']" "$(state feed 203.0.113.7)"
is "and let through" internet "$(office_get lan1 http://203.0.113.7/)"
is "by the source itself" "source feed" "$(khien history --json | json "d['changes'][0]['actor']")"
contains "the server was asked to compress" "Accept-Encoding" "$(cat "$feeds/requests")"

before=$(changes)
runs "the same again" 0 khien source refresh feed
is "is answered 304" True "$(grep -q '^/list.txt 304 If-None-Match' "$feeds/requests" && echo True)"
is "and changes nothing" "$before" "$(changes)"
runs "it is promoted" 0 khien source promote feed
is "then it blocks" "" "$(office_get lan1 http://203.0.113.7/)"
is "all of it" "['enforced']" "$(state feed 203.0.113.9)"

printf '# another line at the top\n203.0.113.7\n203.0.113.9\n2001:db8:bad::1\n' >"$feeds/list.txt"
before=$(changes)
runs "other bytes, the same values" 0 khien source refresh feed
is "change nothing either" "$before" "$(changes)"

# ---- Replaced as a whole ------------------------------------------------------------------------------

runs "a person frees one of its values" 0 khien unblock 203.0.113.9
printf '203.0.113.8\n203.0.113.9\n2001:db8:bad::1\n' >"$feeds/list.txt"
before=$(changes)
runs "another copy" 0 khien source refresh feed
is "is one change" $((before + 1)) "$(changes)"
is "what is new is blocked" "" "$(office_get lan1 http://203.0.113.8/)"
is "what is gone is free" internet "$(office_get lan1 http://203.0.113.7/)"
is "what a person freed stays free" internet "$(office_get lan1 http://203.0.113.9/)"
runs "verify agrees" 0 khien verify
runs "an undo takes it back" 0 khien undo "$(khien history --json | json "[c['id'] for c in d['changes'] if c['actor'] == 'source feed'][0]")"
is "what was gone is blocked again" "" "$(office_get lan1 http://203.0.113.7/)"
runs "and an undo of that brings the new copy again" 0 khien undo "$(khien history --json | json "d['changes'][0]['id']")"
is "as it was" "" "$(office_get lan1 http://203.0.113.8/)"

nsenter --net="/run/netns/$lab_gw" "$here/feeds.py" "$feeds" 127.0.0.1 8090 </dev/null >>"$lab_dir/feeds.log" 2>&1 &
lab_pids+=($!)
lab_wait "the server next door" in_gw ncat -z 127.0.0.1 8090
khien source add named http://localhost:8090/list.txt >/dev/null
runs "a server is found by its name" 0 khien source refresh named
khien source remove named >/dev/null
khien source add nameless http://feeds.invalid/list.txt >/dev/null
runs "a name that nobody knows is a failure" 1 khien source refresh nameless
contains "and named" "name is not known" "$(source_is nameless problem)"
khien source remove nameless >/dev/null

# ---- Whatever goes wrong ------------------------------------------------------------------------------

try() { # description name path words: the refresh fails, with these words
	khien source add "$2" "http://$server:8080/$3" >/dev/null
	runs "$1" 1 khien source refresh "$2"
	contains "… in words" "$4" "$(source_is "$2" problem)"
	khien source remove "$2" >/dev/null
}
try "an answer cut off is refused" cut cut "cut off"
try "a small answer that unpacks to 200 MB is refused" bomb bomb "more than"
try "a circle of redirects is left" loop loop "from one place to the next"
try "a file that is not there" missing missing.txt "404"
runs "a redirect is followed" 0 khien source add moved "http://$server:8080/moved"
runs "… to its end" 0 khien source refresh moved
khien source remove moved >/dev/null
khien source add small "http://$server:8080/list.txt" --max-values 2 >/dev/null
runs "more values than allowed are refused" 1 khien source refresh small
khien source remove small >/dev/null

: >"$feeds/list.txt"
runs "an emptied list waits for a person" 3 khien source refresh feed
is "and says so" held "$(source_is feed state)"
contains "status too" source-held "$(khien status --json)"
is "the copy before stays in force" "" "$(office_get lan1 http://203.0.113.8/)"
for i in $(seq 1 40); do echo "198.51.100.$i"; done >"$feeds/list.txt"
echo 203.0.113.8 >>"$feeds/list.txt"
runs "so does one that has grown" 3 khien source refresh feed
is "… from three to 41 values" 41 "$(source_is feed held)"
runs "and again, as long as nobody accepts it" 3 khien source refresh feed
runs "a person accepts it" 0 khien source refresh feed --accept
is "then it is in force" "['enforced']" "$(state feed 198.51.100.40)"
lacks_problem() { ! khien status --json | grep -q source-held; }
runs "and status is silent" 0 lacks_problem
runs "without validators of the server" 0 khien source add bare "http://$server:8080/bare/list.txt"
khien source refresh bare >/dev/null
before=$(changes)
runs "the same bytes" 0 khien source refresh bare
is "are seen to be the same" "$before" "$(changes)"
khien source remove bare >/dev/null

kill "$http_pid"
wait "$http_pid" 2>/dev/null
runs "a server that is gone is a failure" 1 khien source refresh feed
is "which is counted" 1 "$(source_is feed failures)"
contains "and named" "cannot be reached" "$(source_is feed problem)"
is "the last good copy is enforced" "" "$(office_get lan1 http://203.0.113.8/)"
feed_up 8080
runs "it comes back" 0 khien source refresh feed
is "and nothing is left of the failure" None "$(source_is feed problem)"

# ---- TLS and secrets ----------------------------------------------------------------------------------

openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=feeds.example -addext "subjectAltName=IP:$server" \
	-keyout "$lab_dir/key.pem" -out "$lab_dir/certificate.pem" 2>/dev/null
feed_up 8443 "$lab_dir/certificate.pem" "$lab_dir/key.pem"
khien source add tls "https://$server:8443/list.txt" >/dev/null
runs "an untrusted certificate is refused" 1 khien source refresh tls
contains "and named" "certificate is not trusted" "$(source_is tls problem)"
khien source remove tls >/dev/null
khien source add tls "https://$server:8443/list.txt" --authority "$lab_dir/certificate.pem" >/dev/null
runs "the office's own authority is trusted when it is named" 0 khien source refresh tls
khien source remove tls >/dev/null
khien source add downgrade "https://$server:8443/downgrade" --authority "$lab_dir/certificate.pem" >/dev/null
runs "https is not left for http" 1 khien source refresh downgrade
khien source remove downgrade >/dev/null

printf 'user = phong\npassword = bi-mat-1\n' >"$lab_dir/basic"
printf 'token = bi-mat-2\n' >"$lab_dir/token"
chmod 0644 "$lab_dir/basic"
chmod 0600 "$lab_dir/token"
khien source add basic "https://$server:8443/auth/list.txt" --authority "$lab_dir/certificate.pem" --credentials "$lab_dir/basic" >/dev/null
runs "a file of secrets that others may read is refused" 1 khien source refresh basic
contains "and named" "others than root" "$(source_is basic problem)"
chmod 0600 "$lab_dir/basic"
runs "Basic" 0 khien source refresh basic
khien source add token "https://$server:8443/token/list.txt" --authority "$lab_dir/certificate.pem" --credentials "$lab_dir/token" >/dev/null
runs "a token" 0 khien source refresh token
printf 'user = phong\npassword = sai-bi-mat\n' >"$lab_dir/basic"
khien source remove basic >/dev/null
khien source add basic "https://$server:8443/auth/list.txt" --authority "$lab_dir/certificate.pem" --credentials "$lab_dir/basic" >/dev/null
runs "a wrong password is a failure" 1 khien source refresh basic
contains "… with what to do" "credentials" "$(source_is basic problem)"
khien source remove basic >/dev/null
khien source remove token >/dev/null
is "no secret is in the log" 0 "$(grep -c 'bi-mat' "$lab_dir/khiend.log")"
is "nor in the ledger" 0 "$(cat "$lab_dir"/state/* | grep -ac 'bi-mat')"

# ---- Long lists ---------------------------------------------------------------------------------------

python3 -c 'for i in range(12000): print(f"2001:db8:666::{i+1:x}")' >"$feeds/long.txt"
runs "a long list" 0 khien source add long "http://$server:8080/long.txt" --drop --ttl 7d
runs "is fetched" 0 khien source refresh long
is "whole" 12000 "$(source_is long values)"
runs "and proved" 0 khien verify
sed -i -e '5,9d' "$feeds/long.txt"
echo 2001:db8:777::1 >>"$feeds/long.txt"
runs "five values go, one comes" 0 khien source refresh long
is "the five are withdrawn" "passed" "$(khien why 2001:db8:666::5 --json | json "d['verdict']")"
is "the others stay" "dropped" "$(khien why 2001:db8:666::a --json | json "d['verdict']")"
is "the one is blocked" "dropped" "$(khien why 2001:db8:777::1 --json | json "d['verdict']")"
is "one change did it" 6 "$(khien history --json | json "d['changes'][0]['orders'] if d['changes'][0]['actor'] == 'source long' else None")"
sed -i -e '1,4000d' "$feeds/long.txt"
runs "a third goes" 0 khien source refresh long
is "it is free" "passed" "$(khien why 2001:db8:666::100 --json | json "d['verdict']")"
is "the rest is not" "dropped" "$(khien why 2001:db8:666::2ee0 --json | json "d['verdict']")"
runs "verify agrees" 0 khien verify
runs "it is removed" 0 khien source remove long
is "and nothing of it stays in force" "passed" "$(khien why 2001:db8:666::2ee0 --json | json "d['verdict']")"

# ---- Deadlines ----------------------------------------------------------------------------------------

echo 203.0.113.99 >"$feeds/due.txt"
khien source add due "http://$server:8080/due.txt" --drop --ttl 7d >/dev/null
khien source refresh due >/dev/null
expires() { khien list --json --ref source/due | json "[i['expires'] for i in d['indicators']]"; }
first=$(expires)
before=$(changes)
runs "current again, with most of its time left" 0 khien source refresh due
is "moves no deadline" "$first $before" "$(expires) $(changes)"
lab_daemon_stop TERM
python3 - "$lab_dir/state/ledger.db" <<-'END'
	import sqlite3, sys, time
	ledger = sqlite3.connect(sys.argv[1])
	soon = int(time.time()) + 2 * 86400
	ledger.execute("UPDATE sources SET until = ? WHERE name = 'due'", (soon,))
	ledger.execute("UPDATE orders SET expires = ? WHERE letter = (SELECT letter FROM sources WHERE name = 'due')", (soon,))
	ledger.commit()
END
lab_daemon_start || exit 1
is "five days later" False "$([ "$(expires)" = "$first" ] && echo True || echo False)"
runs "it is current still" 0 khien source refresh due
is "and its deadline moves" $((before + 1)) "$(changes)"
is "to seven days from now" 7 "$(khien list --json --ref source/due | json "round((__import__('datetime').datetime.fromisoformat(d['indicators'][0]['expires']).timestamp() - __import__('time').time()) / 86400)")"
khien source remove due >/dev/null

# ---- Killed in the middle ------------------------------------------------------------------------------

khien source add slow "http://$server:8080/slow" >/dev/null
lab_wait "the slow answer to begin" grep -q '^/slow' "$feeds/requests"
is "the daemon has one child" 1 "$(children)"
runs "and answers meanwhile" 0 khien source list
refresher=$(pgrep -P "$lab_daemon")
fetcher=$(pgrep -P "$refresher")
status_of() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
is "whoever talks to the server is nobody" 65534 "$(status_of "$fetcher" Uid | cut -f1)"
is "without a capability" 0000000000000000 "$(status_of "$fetcher" CapEff)"
is "behind a filter of system calls" 2 "$(status_of "$fetcher" Seccomp)"
is "nor is its parent root" "65534 0000000000000000" "$(status_of "$refresher" Uid | cut -f1) $(status_of "$refresher" CapEff)"
lab_daemon_stop KILL
gone() { ! kill -0 "$refresher" 2>/dev/null && ! kill -0 "$fetcher" 2>/dev/null; }
lab_wait "both to end with the daemon" gone && ok "a killed daemon takes both with it"
is "what was enforced is enforced" "" "$(office_get lan1 http://203.0.113.8/)"
lab_daemon_start || exit 1
is "the source is there after a restart" 41 "$(source_is feed values)"
is "and its orders" "" "$(office_get lan1 http://203.0.113.8/)"
runs "the slow one is removed while it is fetched" 0 khien source remove slow
runs "a source is paused" 0 khien source pause feed
is "and has no next time" None "$(source_is feed next)"
runs "and resumed" 0 khien source resume feed
runs "and removed" 0 khien source remove feed
is "what it blocked is free" internet "$(office_get lan1 http://203.0.113.8/)"
runs "then it is not known" 1 khien source show feed
finish
