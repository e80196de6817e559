# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The laboratory: internet, gateway and office as network namespaces with veth pairs between them, khiend in the gateway. Sourced by the
# demonstration and by the end-to-end tests. Everything it makes carries the process id in its name and is taken away at
# the end, also when interrupted. Documentation addresses only; nothing leaves the namespaces.
#
#   internet 192.0.2.130 ---- eth0 gateway eth1 ---- lan1 office (machine A, 192.0.2.57)
#   203.0.113.0/24, 198.51.100.0/24            eth2 ---- lan2 office (machine B, 192.0.2.122)
#   2001:db8:bad::/48, 2001:db8:777::/48       IPv6: 2001:db8:1::/64 (A), 2001:db8:2::/64 (B)

lab_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
lab_build=${BUILD:-$lab_root/build}
lab_id=$$
lab_net=khi$lab_id lab_gw=khg$lab_id lab_office=kho$lab_id
lab_dir=
lab_daemon=
lab_pids=()
lab_launcher=() # put before khiend: restrictions, other users
lab_program= # another khiend than the build's

in_net() { nsenter --net="/run/netns/$lab_net" "$@"; }
in_gw() { nsenter --net="/run/netns/$lab_gw" "$@"; }
in_office() { nsenter --net="/run/netns/$lab_office" "$@"; }
khien() { in_gw "$lab_build/khien" --socket "$lab_dir/run/control.sock" "$@"; }

lab_down() {
	local pid
	for pid in "${lab_pids[@]}" $lab_daemon; do
		kill "$pid" 2>/dev/null
	done
	for pid in "${lab_pids[@]}" $lab_daemon; do
		wait "$pid" 2>/dev/null
	done
	lab_pids=() lab_daemon=
	for pid in "$lab_office" "$lab_gw" "$lab_net"; do
		[ -e "/run/netns/$pid" ] && ip netns del "$pid"
	done
	if [ -n "$lab_dir" ]; then
		[ -d "$lab_bpffs" ] && find "$lab_bpffs" -depth -delete
		rm -rf "$lab_dir"
	fi
	lab_dir=
}

# A pair of veth ends, one in each namespace, both up, without GRO surprises.
lab_pair() { # ns-a name-a mac-a ns-b name-b mac-b
	ip link add "$2" netns "$1" address "$3" type veth peer name "$5" netns "$4" address "$6"
	nsenter --net="/run/netns/$1" ip link set "$2" up
	nsenter --net="/run/netns/$4" ip link set "$5" up
}

lab_up() {
	local ns
	lab_dir=$(mktemp -d "${TMPDIR:-/tmp}/khien-lab.XXXXXX")
	mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
	lab_bpffs=/sys/fs/bpf/khien-lab-$lab_id
	trap lab_down EXIT
	trap 'exit 130' INT TERM HUP
	for ns in "$lab_net" "$lab_gw" "$lab_office"; do
		[ -e "/run/netns/$ns" ] || ip netns add "$ns" # the gateway may be the whole machine, in a guest
		nsenter --net="/run/netns/$ns" ip link set lo up
		nsenter --net="/run/netns/$ns" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
	done
	lab_pair "$lab_gw" eth0 00:00:5e:00:53:01 "$lab_net" wan 00:00:5e:00:53:fe
	lab_pair "$lab_gw" eth1 00:00:5e:00:53:02 "$lab_office" lan1 00:00:5e:00:53:57
	lab_pair "$lab_gw" eth2 00:00:5e:00:53:03 "$lab_office" lan2 00:00:5e:00:53:7a
	in_gw sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	in_gw ip address add 192.0.2.129/30 dev eth0
	in_gw ip address add 192.0.2.1/26 dev eth1
	in_gw ip address add 192.0.2.65/26 dev eth2
	in_gw ip address add 2001:db8:fe::1/64 dev eth0 nodad
	in_gw ip address add 2001:db8:1::1/64 dev eth1 nodad
	in_gw ip address add 2001:db8:2::1/64 dev eth2 nodad
	in_gw ip route add default via 192.0.2.130
	in_gw ip -6 route add default via 2001:db8:fe::2
	in_office ip address add 192.0.2.57/26 dev lan1
	in_office ip address add 192.0.2.122/26 dev lan2
	in_office ip address add 2001:db8:1::57/64 dev lan1 nodad
	in_office ip address add 2001:db8:2::7a/64 dev lan2 nodad
	in_office ip route add default via 192.0.2.1 dev lan1
	in_office ip route add default via 192.0.2.65 dev lan2 metric 10
	in_office ip -6 route add default via 2001:db8:1::1 dev lan1 metric 1
	in_office ip -6 route add default via 2001:db8:2::1 dev lan2 metric 10
	in_net ip address add 192.0.2.130/30 dev wan
	in_net ip address add 2001:db8:fe::2/64 dev wan nodad
	in_net ip route add 192.0.2.0/25 via 192.0.2.129
	in_net ip -6 route add 2001:db8:1::/64 via 2001:db8:fe::1
	in_net ip -6 route add 2001:db8:2::/64 via 2001:db8:fe::1
	in_net ip route add local 203.0.113.0/24 dev lo
	in_net ip route add local 198.51.100.0/24 dev lo
	in_net ip -6 route add local 2001:db8:bad::/48 dev lo
	in_net ip -6 route add local 2001:db8:666::/48 dev lo
	in_net ip -6 route add local 2001:db8:777::/48 dev lo
	lab_config
}

lab_config() {
	mkdir -p "$lab_dir/state" "$lab_dir/run"
	cat >"$lab_dir/khien.conf" <<-EOF
		[gateway]
		name = Phòng thí nghiệm
		wan = eth0
		lan = eth1, eth2
		mode = ${lab_mode:-auto}
		language = ${KHIEN_LANG:-vi}
		[guard]
		never_block = $lab_root/rules/never-block.d
		management = 192.0.2.64/29
		; the laboratory lives in documentation addresses
		exempt = 192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32
		[http]
		listen =
	EOF
}

# Waits for a condition, by event where there is one; never longer than 30 seconds (a busy machine is slow to load programs), an emulated
# machine longer: LAB_TIMES. A web page that does not come is given up after LAB_PATIENCE seconds, LAB_TTL is a short
# deadline.
lab_wait() { # description command...
	local what=$1 i
	shift
	for ((i = 0; i < 600 * ${LAB_TIMES:-1}; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		read -rt 0.05 <> <(:) || :
	done
	echo "gave up waiting for $what" >&2
	return 1
}

lab_daemon_start() {
	# not by in_gw: of a function in the background only the shell would have the number kept in lab_daemon
	nsenter --net="/run/netns/$lab_gw" "${lab_launcher[@]}" "${lab_program:-$lab_build/khiend}" --config "$lab_dir/khien.conf" --state "$lab_dir/state" --run "$lab_dir/run" \
		--bpffs "$lab_bpffs" "$@" </dev/null >>"$lab_dir/khiend.log" 2>&1 &
	lab_daemon=$!
	lab_wait "khiend" test -S "$lab_dir/run/control.sock" || { cat "$lab_dir/khiend.log" >&2; return 1; }
}

lab_daemon_stop() { # signal
	kill "-${1:-TERM}" "$lab_daemon"
	wait "$lab_daemon" 2>/dev/null
	lab_daemon=
	rm -f "$lab_dir/run/control.sock"
}

# A small web server on every address of a namespace, IPv4 and IPv6.
lab_web() { # ns port text
	nsenter --net="/run/netns/$1" ncat -lk -p "$2" \
		--sh-exec "printf 'HTTP/1.0 200 OK\r\n\r\n$3'" </dev/null >>"$lab_dir/web.log" 2>&1 &
	lab_pids+=($!)
}

# Asks a web server; prints what it says, or nothing.
office_get() { # lan1|lan2 url
	in_office curl -s --noproxy '*' --interface "$1" --max-time "${LAB_PATIENCE:-1}" "$2"
}
