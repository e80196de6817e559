#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A libxdp dispatcher holds the hook of an interface, with programs of others: Khiên becomes one of its chain, before them; stays in it when others come and go, when
# the daemon is killed, and when another build or another ABI takes over; leaves it without touching them; and takes the hook when they are gone. Where
# Khiên was first, xdp-loader is refused.
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "$0")/../e2e/check.sh"
. "$(dirname "$0")/../e2e/lab.sh"
need_root
command -v xdp-loader > /dev/null || { echo "skipped: no xdp-loader"; exit 77; }
KHIEN_LANG=en lab_up
export LC_ALL=C.UTF-8
build=$(realpath "$lab_build")
trap 'in_gw xdp-loader unload eth1 --all > /dev/null 2>&1; lab_down' EXIT
lab_web "$lab_net" 80 "internet"
state() { khien status --json | json "d['health']"; }
mode_of() { khien status --json | json "[i['mode'] for i in d['interfaces'] if i['name'] == '$1'][0]"; }
is_mode() { [ "$(mode_of eth1)" = "$1" ]; }
chain() { in_gw xdp-loader status eth1 | grep -o -E 'xdp_dispatcher|khien_xdp|others_[a-z]+' | xargs; }
listed() { office_get lan1 http://203.0.113.7/; }
unlisted() { office_get lan1 http://203.0.113.8/; }
dropped() { khien stats --by indicator --json | json "sum(r['packets'] for r in d['rows'] if r['key'] == '203.0.113.7')"; }
# packets to an address, as the program of the others saw them
seen() { bpftool map dump name seen -j | json "sum(v['formatted']['value'] for v in d if v['formatted']['key'] == $1)"; }

# A program as others have: it counts packets to 203.0.113.x by their last byte, and passes them on.
for name in first second; do
	clang -O2 -g -target bpf -isystem /usr/include/x86_64-linux-gnu -c -x c - -o "$lab_dir/$name.o" <<-C || exit 1
		#include <linux/bpf.h>
		#include <bpf/bpf_helpers.h>
		struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 256); __type(key, __u32); __type(value, __u64); } seen SEC(".maps");
		SEC("xdp") int others_$name(struct xdp_md *context)
		{
			const __u8 *at = (void *)(long)context->data;
			__u64 *count;
			__u32 key;
			if (at + 34 > (__u8 *)(long)context->data_end || at[12] != 8 || at[30] != 203 || at[31] != 0 || at[32] != 113)
				return XDP_PASS;
			key = at[33];
			count = bpf_map_lookup_elem(&seen, &key);
			if (count)
				__sync_fetch_and_add(count, 1);
			return XDP_PASS;
		}
		char terms[] SEC("license") = "GPL";
	C
done
in_gw xdp-loader load --mode native eth1 "$lab_dir/first.o" || { echo "skipped: this kernel takes no dispatcher"; exit 77; }
is "the dispatcher is there" "xdp_dispatcher others_first" "$(chain)"

# ---- It was first ---------------------------------------------------------------------------------

lab_daemon_start || exit 1
is "all are protected" "protected native chained" "$(state) $(mode_of eth0) $(mode_of eth1)"
is "Khiên stands before the others" "xdp_dispatcher khien_xdp others_first" "$(chain)"
contains "status says so" "eth1 is filtered in the chain of a libxdp dispatcher" "$(khien status)"
khien status | sed 's/^/    /'
lab_wait "the web server" unlisted
runs "an order" 0 khien block 203.0.113.7 --yes --ref 1/TEST
is "listed is dropped" "" "$(listed)"
is "and counted" 1 "$(($(dropped) > 0))"
is "before the others see it" 0 "$(seen 7)"
is "unlisted passes" internet "$(unlisted)"
is "and the others see that" 1 "$(($(seen 8) > 0))"
runs "verify agrees" 0 khien verify

in_gw xdp-loader load --mode native eth1 "$lab_dir/second.o"
is "another comes" "xdp_dispatcher khien_xdp others_first others_second" "$(chain)"
is "all are protected" "protected chained" "$(state) $(mode_of eth1)"
is "listed is dropped" "" "$(listed)"
is "unlisted passes" internet "$(unlisted)"

# ---- Restarts and upgrades ------------------------------------------------------------------------

lab_daemon_stop KILL
before=$(find /sys/fs/bpf/xdp -maxdepth 1 -name 'dispatch-*')
is "without the daemon: listed is dropped" "" "$(listed)"
is "unlisted passes" internet "$(unlisted)"
lab_daemon_start || exit 1
is "started again: protected" "protected chained" "$(state) $(mode_of eth1)"
is "and the chain is as it was" "$before" "$(find /sys/fs/bpf/xdp -maxdepth 1 -name 'dispatch-*')"
for which in other/build . other/abi .; do
	lab_daemon_stop TERM
	count=$(dropped 2> /dev/null || echo 0)
	lab_build=$build/$which lab_daemon_start || exit 1
	is "$which takes over: protected" "protected chained" "$(state) $(mode_of eth1)"
	is "one of ours is in the chain" "xdp_dispatcher khien_xdp others_first others_second" "$(chain)"
	is "listed is dropped" "" "$(listed)"
	is "and counted" 1 "$(($(dropped) > count))"
	is "unlisted passes" internet "$(unlisted)"
	runs "verify agrees" 0 khien verify
done

# ---- Out of it ------------------------------------------------------------------------------------

runs "detach" 0 khien detach
is "the others are left alone" "xdp_dispatcher others_first others_second" "$(chain)"
is "nothing of ours is attached" internet "$(listed)"
lab_daemon_stop TERM
lab_daemon_start || exit 1
is "started again: in the chain" "protected chained" "$(state) $(mode_of eth1)"
runs "attached anew" 0 khien reattach
is "in the chain" "protected chained" "$(state) $(mode_of eth1)"
is "before the others" "xdp_dispatcher khien_xdp others_first others_second" "$(chain)"
in_gw xdp-loader unload eth1 --all || exit 1
lab_wait "the hook" is_mode native
is "when the dispatcher is taken away with all in it, the hook is taken" "protected native" "$(state) $(mode_of eth1)"
is "listed is dropped" "" "$(listed)"
in_gw xdp-loader load --mode native eth1 "$lab_dir/first.o" > "$lab_dir/refused" 2>&1
is "where Khiên was first, xdp-loader is refused" 1 "$(($? != 0))"
is "and Khiên goes on" "protected native" "$(state) $(mode_of eth1)"
runs "detach" 0 khien detach
finish
