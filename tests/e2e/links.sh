#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Interfaces come and go under the daemon, and some are taken: a device made again is attached again by itself, status says degraded in
# between; a device that carries somebody else's XDP program is named and that program is left alone.
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "$0")/check.sh"
. "$(dirname "$0")/lab.sh"
need_root
KHIEN_LANG=en lab_up
export LC_ALL=C.UTF-8
foreign=$lab_bpffs-foreign
trap 'rm -f "$foreign"; lab_down' EXIT
lab_web "$lab_net" 80 "internet"

state() { khien status --json | json "d['health']"; }
mode_of() { khien status --json | json "[i['mode'] for i in d['interfaces'] if i['name'] == '$1'][0]"; }
is_now() { [ "$("${@:2}")" = "$1" ]; }

# ---- Gone and back ------------------------------------------------------------------------------

lab_daemon_start || exit 1
lab_wait "the web server" office_get lan2 http://203.0.113.8/
runs "an order" 0 khien block 203.0.113.7 --yes --ref 1/TEST
is "all is well" protected "$(state)"
in_gw ip link delete eth2
lab_wait "the loss to be seen" is_now degraded state
is "without one interface: degraded" degraded "$(state)"
contains "it is named" eth2 "$(khien status)"
is "the others go on: listed is dropped" "" "$(office_get lan1 http://203.0.113.7/)"
is "the others go on: unlisted passes" internet "$(office_get lan1 http://203.0.113.8/)"
lab_pair "$lab_gw" eth2 00:00:5e:00:53:03 "$lab_office" lan2 00:00:5e:00:53:7a
in_gw ip address add 192.0.2.65/26 dev eth2
in_office ip address add 192.0.2.122/26 dev lan2
in_office ip route add default via 192.0.2.65 dev lan2 metric 10
lab_wait "the attachment" is_now protected state
is "made again: protected" protected "$(state)"
is "made again: attached as before" native "$(mode_of eth2)"
before=$(khien stats --by host --json | json "sum(r['packets'] for r in d['rows'] if r['key'] == '192.0.2.122')")
is "made again: listed is dropped there" "" "$(office_get lan2 http://203.0.113.7/)"
is "made again: unlisted passes there" internet "$(office_get lan2 http://203.0.113.8/)"
is "made again: the machine there is seen" True \
	"$(khien stats --by host --json | json "sum(r['packets'] for r in d['rows'] if r['key'] == '192.0.2.122') > $before")"
in_gw ip link set eth1 down
in_gw ip link set eth1 up
lab_wait "the link" office_get lan1 http://203.0.113.8/
is "down and up: still dropped" "" "$(office_get lan1 http://203.0.113.7/)"
for mtu in 1400 9000 1500; do
	in_gw ip link set eth1 mtu "$mtu"
	in_office ip link set lan1 mtu "$mtu"
	is "MTU $mtu: attached as before" native "$(mode_of eth1)"
	is "MTU $mtu: listed is dropped" "" "$(office_get lan1 http://203.0.113.7/)"
	is "MTU $mtu: unlisted passes" internet "$(office_get lan1 http://203.0.113.8/)"
done

# ---- Made anew at once, renamed, made the port of a bridge ----------------------------------------

again() { grep -c "event=attached interface=$1 .*again=1" "$lab_dir/khiend.log"; }
more() { [ "$(again "$1")" -gt "$2" ]; }
before=$(again eth2)
in_gw ip link delete eth2
lab_pair "$lab_gw" eth2 00:00:5e:00:53:03 "$lab_office" lan2 00:00:5e:00:53:7a
in_gw ip address add 192.0.2.65/26 dev eth2
in_office ip address add 192.0.2.122/26 dev lan2
in_office ip route add default via 192.0.2.65 dev lan2 metric 10
seen() { more eth2 "$before" || grep -q 'event=unprotected interface=eth2' <(tail -n 20 "$lab_dir/khiend.log"); }
lab_wait "the attachment" seen
lab_wait "protection" is_now protected state
is "made anew at once, by the same name: attached" native "$(mode_of eth2)"
is "listed is dropped there" "" "$(office_get lan2 http://203.0.113.7/)"
contains "the record of health has the time without" degraded \
	"$(python3 -c "import sqlite3, sys; print([row for row in sqlite3.connect(sys.argv[1]).execute('SELECT state, problems FROM health ORDER BY id DESC LIMIT 3')][1])" "$lab_dir/state/ledger.db")"

rename() { in_gw ip link set "$1" down && in_gw ip link set "$1" name "$2" && in_gw ip link set "$2" up; }
rename eth2 lan9
lab_wait "the name" grep -q "event=renamed interface=eth2 name=lan9" "$lab_dir/khiend.log"
is "renamed: degraded" degraded "$(state)"
contains "the new name is told" "eth2 has been renamed: it is lan9 now" "$(khien status)"
lab_wait "the link" office_get lan2 http://203.0.113.8/
is "renamed: listed is still dropped there" "" "$(office_get lan2 http://203.0.113.7/)"
rename lan9 eth2
lab_wait "the name" is_now protected state
is "and back: protected" protected "$(state)"

in_gw ip link add eth8 type veth peer name lan8 netns "$lab_office"
in_office ip link set lan8 up
in_gw ip link set eth8 up
sed -i 's/^lan = .*/lan = eth1, eth2, eth8/' "$lab_dir/khien.conf"
lab_daemon_stop TERM
lab_daemon_start || exit 1
in_gw ip link add br0 type bridge && in_gw ip link set eth8 master br0 && in_gw ip link set br0 up
is "as the port of a bridge it is still attached" True "$(khien status --json | json "[i['attached'] for i in d['interfaces'] if i['name'] == 'eth8'][0]")"
in_gw ip link delete br0
in_gw ip link delete eth8
sed -i 's/^lan = .*/lan = eth1, eth2/' "$lab_dir/khien.conf"
runs "detach" 0 khien detach
lab_daemon_stop TERM

# ---- Taken --------------------------------------------------------------------------------------

# A program of somebody else, as one would be found: this one only lets everything pass.
cat > "$lab_dir/foreign.c" <<-C
	__attribute__((section("xdp"), used)) int foreign_pass(void *context) { return 2; }
	char terms[] __attribute__((section("license"), used)) = "GPL";
C
clang -O2 -g -target bpf -c "$lab_dir/foreign.c" -o "$lab_dir/foreign.o"
bpftool prog load "$lab_dir/foreign.o" "$foreign" type xdp || exit 1
in_gw bpftool net attach xdpdrv pinned "$foreign" dev eth1 || exit 1
id=$(in_gw ip -j -d link show eth1 | json "d[0]['xdp']['prog']['id']")
lab_daemon_start || exit 1
is "beside somebody's program: degraded" degraded "$(state)"
is "that interface is not attached" none "$(mode_of eth1)"
contains "the program is named" foreign_pass "$(khien status)"
contains "and its number" "id $id" "$(khien status)"
is "the others are attached" "native native" "$(mode_of eth0) $(mode_of eth2)"
is "it was left alone" "$id" "$(in_gw ip -j -d link show eth1 | json "d[0]['xdp']['prog']['id']")"
is "the WAN still judges: listed is dropped" "" "$(office_get lan1 http://203.0.113.7/)"
is "unlisted passes" internet "$(office_get lan1 http://203.0.113.8/)"
in_gw bpftool net detach xdpdrv dev eth1
lab_wait "the hook" is_now protected state
is "when it goes, the interface is taken by itself" native "$(mode_of eth1)"

# One that only has the name of a dispatcher: it cannot be joined, and it is left alone. Real ones: tests/vm/chain.sh.
khien detach > /dev/null
lab_daemon_stop TERM
sed -i 's/foreign_pass/xdp_dispatcher/' "$lab_dir/foreign.c"
clang -O2 -g -target bpf -c "$lab_dir/foreign.c" -o "$lab_dir/foreign.o" && rm -f "$foreign" && bpftool prog load "$lab_dir/foreign.o" "$foreign" type xdp || exit 1
in_gw bpftool net attach xdpdrv pinned "$foreign" dev eth1 || exit 1
id=$(in_gw ip -j -d link show eth1 | json "d[0]['xdp']['prog']['id']")
lab_daemon_start || exit 1
is "beside a dispatcher that takes nobody in: degraded" degraded "$(state)"
contains "the dispatcher is named" "a libxdp dispatcher holds the XDP hook (id $id), and does not take us into its chain: " "$(khien status)"
is "and left alone" "$id" "$(in_gw ip -j -d link show eth1 | json "d[0]['xdp']['prog']['id']")"
in_gw bpftool net detach xdpdrv dev eth1
lab_wait "the hook" is_now protected state
is "when it goes, the interface is taken by itself" native "$(mode_of eth1)"
is "and all is well" protected "$(state)"
runs "detach" 0 khien detach
finish
