# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The WAN of the laboratory over the guest's two virtio cards, which are connected with each other, instead of a veth pair: a driver with rules of its own
# for XDP, and one that merges what it receives. Sourced after lab.sh; take the cards back with lab_cards_down before lab_down.

lab_cards_up() {
	in_gw ip link delete eth0
	ip link set card0 netns "$lab_gw" && ip link set card1 netns "$lab_net" || return 1
	in_gw ip link set card0 name eth0 address 00:00:5e:00:53:01 up
	in_net ip link set card1 name wan address 00:00:5e:00:53:fe up
	in_gw ip address add 192.0.2.129/30 dev eth0
	in_gw ip address add 2001:db8:fe::1/64 dev eth0 nodad
	in_gw ip route add default via 192.0.2.130
	in_gw ip -6 route add default via 2001:db8:fe::2
	in_net ip address add 192.0.2.130/30 dev wan
	in_net ip address add 2001:db8:fe::2/64 dev wan nodad
	in_net ip route add 192.0.2.0/25 via 192.0.2.129
	in_net ip -6 route add 2001:db8:1::/64 via 2001:db8:fe::1
	in_net ip -6 route add 2001:db8:2::/64 via 2001:db8:fe::1
}

lab_cards_down() {
	in_gw ip link set eth0 down
	in_gw ip link set eth0 name card0 mtu 1500 netns 1
	in_net ip link set wan down
	in_net ip link set wan name card1 mtu 1500 netns 1
}
