#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A device without an Ethernet header, as districts arrive over WireGuard: a tun device as one more LAN, judged by tc ingress. Raw IPv4 and
# IPv6 packets are written into it: dropped, counted exactly, and seen as machines without a MAC.
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "$0")/check.sh"
. "$(dirname "$0")/lab.sh"
need_root
KHIEN_LANG=en lab_up
export LC_ALL=C.UTF-8
sed -i 's/^lan = .*/lan = eth1, eth2, tun0/' "$lab_dir/khien.conf"

# Keeps tun0 in being; each line "COUNT SOURCE DESTINATION" becomes as many UDP packets, then one line back.
cat > "$lab_dir/tun.py" <<'PYTHON'
import fcntl, ipaddress, struct, sys
tun = open("/dev/net/tun", "r+b", buffering=0)
fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"tun0", 0x1001))  # TUNSETIFF: IFF_TUN | IFF_NO_PI
print("ready", flush=True)
def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
for line in sys.stdin:
    count, source, destination = line.split()
    source, destination = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    udp = struct.pack("!HHHH", 40000, 443, 12, 0) + b"test"
    if source.version == 4:
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 32, 1, 0, 64, 17, 0, source.packed, destination.packed)
        packet = head[:10] + struct.pack("!H", checksum(head)) + head[12:] + udp
    else:
        packet = struct.pack("!IHBB", 6 << 28, 12, 17, 64) + source.packed + destination.packed + udp
    for _ in range(int(count)):
        tun.write(packet)
    print("sent", flush=True)
PYTHON
coproc TUN { exec nsenter --net="/run/netns/$lab_gw" python3 "$lab_dir/tun.py"; }
lab_pids+=("$TUN_PID")
read -rt 10 answer <&"${TUN[0]}"
[ "${answer-}" = ready ] || { echo "skipped: no /dev/net/tun"; exit 77; }
in_gw ip link set tun0 up
in_gw ip address add 192.0.2.193/28 dev tun0
in_gw ip address add 2001:db8:3::1/64 dev tun0 nodad
send() { # count source destination
	echo "$@" >&"${TUN[1]}"
	read -rt 10 answer <&"${TUN[0]}"
}
rows() { khien stats --by "$1" --json | json "sum(r['$3'] for r in d['rows'] if r['key'] == '$2')"; }
arrived() { in_net cat /proc/net/snmp | awk '/^Udp: [0-9]/ { print $3 }'; } # NoPorts needs no listener: it counts what came through

lab_daemon_start || exit 1
is "tun0 is judged by tc ingress" tc "$(khien status --json | json "[i['mode'] for i in d['interfaces'] if i['name'] == 'tun0'][0]")"
runs "an order" 0 khien block 203.0.113.7 2001:db8:666::/48 --yes --ref 1/TEST
in_net ip route add 192.0.2.192/28 via 192.0.2.129
in_net ip -6 route add 2001:db8:3::/64 via 2001:db8:fe::1

send 50 192.0.2.200 203.0.113.7
send 30 2001:db8:3::c8 2001:db8:666::1
is "IPv4 to a listed host is counted exactly" "50 1600" "$(rows indicator 203.0.113.7 packets) $(rows indicator 203.0.113.7 bytes)"
is "IPv6 to a listed network too" "30 1560" "$(rows indicator 2001:db8:666::/48 packets) $(rows indicator 2001:db8:666::/48 bytes)"
is "on the interface they came in by" 80 "$(rows interface tun0 packets)"
is "and nothing was dropped elsewhere" 80 "$(rows reason dropped packets)"
is "the IPv4 machine is seen" 50 "$(rows host 192.0.2.200 packets)"
is "the IPv6 machine is seen" 30 "$(rows host 2001:db8:3::c8 packets)"
is "without a MAC" "[None]" "$(khien stats --by host --json | json "[r['extra'] or None for r in d['rows'] if r['key'] == '192.0.2.200']")"
before=$(arrived)
send 20 192.0.2.200 203.0.113.8
is "unlisted packets pass, each of them" 20 "$(($(arrived) - before))"
is "and are counted by nothing" "50" "$(rows indicator 203.0.113.7 packets)"
send 10 192.0.2.200 203.0.113.7
is "while listed ones go on being dropped" 20 "$(($(arrived) - before))"
is "and counted" 60 "$(rows indicator 203.0.113.7 packets)"
runs "detach" 0 khien detach
finish
