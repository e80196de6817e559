#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Live connections through a gateway with address translation: what a block would cut is shown before the question; once it is in force their
# entries are gone from the kernel's table, and no others. Zones, IPv6, a session that would be locked out, what is spared.
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "$0")/check.sh"
. "$(dirname "$0")/lab.sh"
need_root
command -v nft >/dev/null || { echo "skipped: no nft, so no address translation"; exit 77; }
KHIEN_LANG=en lab_up
export LC_ALL=C.UTF-8

in_gw nft -f - <<-EOF2 || { echo "skipped: this kernel has no address translation"; exit 77; }
	table inet gateway {
		chain zones { type filter hook prerouting priority raw; tcp dport 7001 ct zone set 5; tcp sport 7001 ct zone set 5; }
		chain out { type nat hook postrouting priority srcnat; oifname "eth0" meta nfproto ipv4 masquerade; }
	}
EOF2
in_gw test -e /proc/net/nf_conntrack || { echo "skipped: this kernel does not show its table of connections"; exit 77; }
in_gw sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1

# ---- Connections that stay open --------------------------------------------------------------------

# The server has a process for each connection, which does not end with it: what runs in the namespaces that this test made is the test's.
end_connections() {
	local pid ns
	for ns in "$lab_net" "$lab_office"; do
		for pid in $(ip netns pids "$ns" 2>/dev/null); do
			kill "$pid" 2>/dev/null
		done
	done
	lab_down
}
trap end_connections EXIT

for port in 7000 7001; do
	nsenter --net="/run/netns/$lab_net" ncat -lk -p "$port" --exec /bin/cat </dev/null >>"$lab_dir/echo.log" 2>&1 &
	lab_pids+=($!)
done
listening() { [ "$(in_net ss -Hltn "sport = :$1" | wc -l)" -ge 1 ]; }
lab_wait "the echo servers" listening 7000 && lab_wait "the echo servers" listening 7001

answered() { grep -q "hello" "$lab_dir/$1.out"; }
connect() { # name source destination port: it has carried something both ways
	mkfifo "$lab_dir/$1.in"
	nsenter --net="/run/netns/$lab_office" ncat -s "$2" "$3" "$4" <"$lab_dir/$1.in" >"$lab_dir/$1.out" 2>>"$lab_dir/echo.log" &
	lab_pids+=($!)
	exec {held}>"$lab_dir/$1.in" # stays open till the end
	echo "hello" >&"$held"
	lab_wait "connection $1" answered "$1"
}
entries() { in_gw grep -c "dst=$1 .*dport=$2 .*ASSURED" /proc/net/nf_conntrack; }
gone() { [ "$(entries "$1" "$2")" = 0 ]; }
log_has() { grep -q "$1" "$lab_dir/khiend.log"; }

lab_daemon_start || exit 1
in_office ip address add 192.0.2.66/26 dev lan2 # of the management network
connect listed 192.0.2.57 203.0.113.7 7000
connect zoned 192.0.2.57 203.0.113.7 7001
connect other 192.0.2.57 203.0.113.200 7000
connect watched 192.0.2.57 198.51.100.23 7000
connect admin 192.0.2.66 203.0.113.200 7001
connect six 2001:db8:1::57 2001:db8:bad::7 7000
is "a connection in a zone is in the table" 1 "$(in_gw grep 'dst=203.0.113.7 .*dport=7001' /proc/net/nf_conntrack | grep -c 'zone=5')"

# ---- Before: what it would cut --------------------------------------------------------------------

plan=$(khien block 203.0.113.7 --dry-run --json)
is "a trial run counts the connections, in every zone" 2 "$(json "d['impact']['flows']" <<<"$plan")"
is "and the machines" 1 "$(json "d['impact']['machines']" <<<"$plan")"
is "by their address before translation" "[('192.0.2.57', '203.0.113.7', 7000, 'tcp'), ('192.0.2.57', '203.0.113.7', 7001, 'tcp')]" \
	"$(json "sorted((c['machine'], c['remote'], c['port'], c['protocol']) for c in d['impact']['list'])" <<<"$plan")"
is "how much and how long is known" True "$(json "all(c['bytes'] > 200 and c['seconds'] >= 0 for c in d['impact']['list'])" <<<"$plan")"
is "no management network is among them" "0 False" "$(json "str(d['impact']['management']) + ' ' + str(d['impact']['session'])" <<<"$plan")"
is "nothing was cut by looking" 1 "$(entries 203.0.113.7 7000)"
contains "the screen says it in a line" "Impact: cuts 2 connections of 1 machine; management networks are not affected" "$(khien --lang en block 203.0.113.7 --dry-run)"
contains "in Vietnamese too" "Tác động: cắt 2 kết nối của 1 máy" "$(khien --lang vi block 203.0.113.7 --dry-run)"
printf '203.0.113.7\n203.0.113.200\n' >"$lab_dir/list.txt"
plan=$(khien push --dry-run --json --ref 7/TEST "$lab_dir/list.txt")
is "a letter counts the same way, with an end in a management network" "4 2 1" \
	"$(json "'%d %d %d' % (d['impact']['flows'], d['impact']['machines'], d['impact']['management'])" <<<"$plan")"
is "monitoring cuts nothing" 0 "$(khien block 203.0.113.7 --monitor --dry-run --json | json "d['impact']['flows']")"
is "nor does an order on another port" 0 "$(khien block 203.0.113.7:443/tcp --dry-run --json | json "d['impact']['flows']")"
is "with --yes no survey is made" False "$(khien block 198.51.100.23 --monitor --yes --json | json "'impact' in d")"

# What khien itself does not ask, by the protocol.
protocol() { # request: prints the reply
	python3 -c 'import socket, struct, sys
daemon = socket.socket(socket.AF_UNIX)
daemon.connect(sys.argv[1])
daemon.sendall(struct.pack("=I", len(sys.argv[2])) + sys.argv[2].encode())
reply = daemon.makefile("rb")
print(reply.read(struct.unpack("=I", reply.read(4))[0]).decode())' "$lab_dir/run/control.sock" "$1"
}
is "what enforcing would cut is surveyed too" 1 "$(protocol '{"v": 1, "op": "enforce", "targets": ["198.51.100.23"], "dry_run": true}' | json "d['impact']['flows']")"
is "and changes nothing" monitored "$(khien list --json | json "d['indicators'][0]['state']")"

out=$(SSH_CONNECTION="198.51.100.99 50000 192.0.2.129 22" khien --lang en block 198.51.100.0/24 --dry-run)
contains "a session that would be cut is named loudly" "LOCKED OUT" "$out"
contains "with the next step" "khien allow 198.51.100.99" "$out"
is "in JSON too" True "$(SSH_CONNECTION="198.51.100.99 50000 192.0.2.129 22" khien block 198.51.100.0/24 --dry-run --json | json "d['impact']['session']")"
is "what is no session is none" False "$(SSH_CONNECTION="somewhere 0 x y" khien block 198.51.100.0/24 --dry-run --json | json "d['impact']['session']")"
is "a session in a management network is spared" "False True" "$(SSH_CONNECTION="192.0.2.66 50000 192.0.2.65 22" khien block 192.0.2.64/28 --dry-run --json |
	json "str(d['impact']['session']) + ' ' + str(d['impact']['spared']['session'])")"
is "and so are connections of that network" 1 "$(khien block 192.0.2.64/28 --dry-run --json | json "d['impact']['spared']['management']")"

# ---- The act --------------------------------------------------------------------------------------

ask() { # answer command...
	local answer=$1
	shift
	printf '%s\n' "$answer" | script -qec "nsenter --net=/run/netns/$lab_gw $lab_build/khien --lang en --socket $lab_dir/run/control.sock $*" /dev/null
}
out=$(ask y block 203.0.113.7)
contains "the table stands before the question" "203.0.113.7" "${out%%Block 1 indicator*}"
contains "and afterwards how many were cut" "2 connections were cut" "$out"
is "their entries are gone" "0 0" "$(entries 203.0.113.7 7000) $(entries 203.0.113.7 7001)"
is "an unrelated one stays, in its zone too" "1 1" "$(entries 203.0.113.200 7000) $(entries 203.0.113.200 7001)"
is "a monitored one stays" 1 "$(entries 198.51.100.23 7000)"
contains "the log has it" "event=flows-cut change=2 count=2" "$(cat "$lab_dir/khiend.log")"
is "who asks is told the same" 2 "$(protocol '{"v": 1, "op": "cut", "change": 2}' | json "d['cut']")"
is "of a change that only monitors: none" 0 "$(protocol '{"v": 1, "op": "cut", "change": 1}' | json "d['cut']")"
is "of a change that never was: an error" 1 "$(protocol '{"v": 1, "op": "cut", "change": 99}' | json "d['exit']")"
is "another letter learns that it is blocked already" "1 203.0.113.7 None" "$(khien block 203.0.113.7 203.0.113.9 --ref 9/TEST --dry-run --json |
	json "'%d %s %s' % (d['impact']['known'], d['impact']['known_by'][0]['value'], d['impact']['known_by'][0]['ref'])")"

runs "an IPv6 address, with --yes" 0 khien block 2001:db8:bad::7 --yes
lab_wait "the IPv6 connection to be cut" gone 2001:0db8:0bad:0000:0000:0000:0000:0007 7000
is "it is cut after the answer" 0 "$(entries 2001:0db8:0bad:0000:0000:0000:0000:0007 7000)"
runs "from monitoring to dropping" 0 khien enforce 198.51.100.23
lab_wait "the monitored connection to be cut" gone 198.51.100.23 7000
is "cuts what was only monitored" 0 "$(entries 198.51.100.23 7000)"
lab_wait "the log" log_has "event=flows-cut change=4 count=1"
is "an unrelated one stays after all this" 1 "$(entries 203.0.113.200 7000)"
echo "again" >&"$held"
is "nobody is cut twice" 3 "$(grep -c event=flows-cut "$lab_dir/khiend.log")"
finish
