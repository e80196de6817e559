#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The daemon's own life: what it refuses to start with, and that each refusal names the next step; reloading; a configuration that is bad
# at boot; a damaged ledger; a stop that leaves everything attached, and --detach that takes it off.
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "$0")/check.sh"
. "$(dirname "$0")/lab.sh"
need_root
KHIEN_LANG=en lab_up
export LC_ALL=C.UTF-8

khiend() { in_gw "$lab_build/khiend" --config "$lab_dir/khien.conf" --state "$lab_dir/state" --run "$lab_dir/run" --bpffs "$lab_bpffs" "$@" 2>&1; }
log_has() { grep -q "$1" "$lab_dir/khiend.log"; }
links() { find "$lab_bpffs" -path '*/links/*' 2>/dev/null | wc -l; }

# ---- The command line and the checks ------------------------------------------------------------

runs "--check accepts the laboratory" 0 khiend --check
runs "--check --load verifies the programs" 0 khiend --check --load
is "--check attaches nothing" 0 "$(links)"
contains "--detect proposes the default route's interface as wan" "wan = eth0" "$(khiend --detect)"
runs "two tasks at a time are refused" 2 khiend --check --detach
runs "a stray word is refused" 2 khiend start
runs "--load alone is refused" 2 khiend --load
runs "--detach with nothing attached is no error" 0 khiend --detach

# ---- Refusals -----------------------------------------------------------------------------------

out=$(in_gw setpriv --reuid=65534 --clear-groups "$lab_build/khiend" --config "$lab_dir/khien.conf" 2>&1)
is "without root it ends with 1" 1 $?
contains "without root the capability is named" "CAP_BPF" "$out"
contains "without root the next step is named" "systemctl start khiend" "$out"

mkdir "$lab_dir/not-bpffs"
out=$(khiend --bpffs "$lab_dir/not-bpffs")
is "pins outside a bpffs are refused" 1 $?
contains "and the next step is named" "mount -t bpf" "$out"

# As inside `ip netns exec`: a private mount namespace whose /sys/fs/bpf is empty.
out=$(in_gw unshare --mount sh -c 'umount /sys/fs/bpf && "$0" --config "$1" --state "$2" --run "$2" --bpffs /sys/fs/bpf/khien-lab-x' \
	"$lab_build/khiend" "$lab_dir/khien.conf" "$lab_dir/private" 2>&1)
is "a private mount namespace without bpffs is refused" 1 $?
contains "and nsenter is named" "nsenter --net" "$out"

cp "$lab_dir/khien.conf" "$lab_dir/good.conf"
echo 'colour = red' >> "$lab_dir/khien.conf"
out=$(khiend)
is "a first start on a bad configuration is refused" 1 $?
contains "the line is named" "khien.conf:14" "$out"
cp "$lab_dir/good.conf" "$lab_dir/khien.conf"

# ---- Running ------------------------------------------------------------------------------------

lab_daemon_start || exit 1
is "three interfaces carry programs, the WAN in both directions" 4 "$(links)"
is "the socket is for its group" 660 "$(stat -c %a "$lab_dir/run/control.sock")"
is "the ledger is private" 600 "$(stat -c %a "$lab_dir/state/ledger.db")"
out=$(khiend)
is "a second daemon is refused" 1 $?
contains "and it says so" "another khiend" "$out"
runs "--detach under a running daemon is refused" 1 khiend --detach
is "and nothing was taken off" 4 "$(links)"
runs "--new-ledger under a running daemon is refused" 1 khiend --new-ledger

echo 'colour = red' >> "$lab_dir/khien.conf"
kill -HUP "$lab_daemon"
lab_wait "the refusal" log_has event=reload-refused
is "a bad reload changes nothing" 4 "$(links)"
runs "and the daemon answers" 0 khien status

sed 's/^lan = .*/lan = eth1/' "$lab_dir/good.conf" > "$lab_dir/khien.conf"
kill -HUP "$lab_daemon"
lab_wait "the reload" log_has event=reloaded
contains "a good reload holds at once" '"eth1"' "$(khien status --json)"
is "an interface in no role any more is let go" 0 "$(khien status --json | grep -c '"eth2"')"
cp "$lab_dir/good.conf" "$lab_dir/khien.conf"
kill -HUP "$lab_daemon"
lab_wait "the second reload" sh -c "[ \$(grep -c event=reloaded '$lab_dir/khiend.log') = 2 ]"
is "and comes back with its role" 4 "$(links)"

lab_daemon_stop TERM
is "a stop leaves the programs attached" 4 "$(links)"
is "and takes the socket away" 0 "$(find "$lab_dir/run" -type s | wc -l)"

echo 'colour = red' >> "$lab_dir/khien.conf"
lab_daemon_start || exit 1
contains "bad at boot: the accepted copy serves, degraded" '"degraded"' "$(khien status --json)"
contains "and the refusal is in the log" "event=config-refused" "$(cat "$lab_dir/khiend.log")"
lab_daemon_stop TERM
cp "$lab_dir/good.conf" "$lab_dir/khien.conf"

# ---- The ledger ---------------------------------------------------------------------------------

runs "a ledger in order is not put aside" 1 khiend --new-ledger
rm -f "$lab_dir"/state/ledger.db-*
head -c 5000 /dev/urandom > "$lab_dir/state/ledger.db"
sum=$(cksum < "$lab_dir/state/ledger.db")
out=$(khiend)
is "a damaged ledger stops the start" 1 $?
contains "it is named" "$lab_dir/state/ledger.db" "$out"
contains "and the next step too" "--new-ledger" "$out"
is "it was left as it is" "$sum" "$(cksum < "$lab_dir/state/ledger.db")"
is "what was attached stays" 4 "$(links)"
runs "--new-ledger puts it aside" 0 khiend --new-ledger
is "kept, byte for byte" "$sum" "$(cat "$lab_dir"/state/ledger.db.damaged-* | cksum)"
lab_daemon_start || exit 1
runs "and khiend starts again" 0 khien status
lab_daemon_stop TERM

out=$(khiend --detach)
is "--detach takes everything off" 0 $?
is "and says only what it removed" "" "$(grep -v '^removed: ' <<< "$out")"
is "nothing is left" 0 "$(links)"
is "not even on the interfaces" 0 "$(in_gw ip -d link | grep -c 'prog/xdp')"
finish
