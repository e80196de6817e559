#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# khiend under the restrictions of its unit, as far as they can be put up without systemd: the capabilities, no new privileges, the system calls, a file
# system that can be written where the unit says so. It starts, attaches, blocks, has sources fetched by khien-refresh under the restrictions of its own unit, adopts
# what is there, detaches; and each capability is needed. And the score that systemd gives the units.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/lab.sh
. "$here/lab.sh"
# shellcheck source=tests/e2e/check.sh
. "$here/check.sh"
need_root
units=$lab_root/userspace/systemd
setting() { sed -n "s/^$1=//p" "$units/${2:-khiend.service.in}"; }
SCORE_MOST=2.0

# ---- The score ------------------------------------------------------------------------------------------

if command -v systemd-analyze >/dev/null; then
	plain=$(mktemp -d)
	for unit in khiend.service khien-refresh@.service; do
		sed -e 's,@sbindir@,/usr/sbin,g' -e 's,@libexecdir@,/usr/libexec/khien,g' -e 's,@sysconfdir@,/etc,g' "$units/$unit.in" >"$plain/$unit"
		score=$(LC_ALL=C systemd-analyze security --offline=true --no-pager "$plain/$unit" | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')
		is "systemd gives $unit $score, and no more than $SCORE_MOST" yes \
			"$(awk -v score="$score" -v most=$SCORE_MOST 'BEGIN { print (score != "" && score <= most ? "yes" : "no") }')"
		contains "which is what README says" "**$score**" "$(grep -F 'systemd-analyze security' "$lab_root/README.md")"
	done
	rm -rf "$plain"
else
	echo "skipped the score and the system calls: no systemd-analyze"
fi

# ---- The restrictions -----------------------------------------------------------------------------------

KHIEN_LANG=en lab_up
export LC_ALL=C.UTF-8
capabilities=$(setting CapabilityBoundingSet)
bounding() { # capabilities...
	local one list=-all
	for one in "$@"; do
		one=${one#CAP_}
		list+=,+${one,,}
	done
	echo "$list"
}

# The names that the unit's groups stand for, those taken away again left out.
names_of() {
	local word
	for word in "$@"; do
		if [[ $word == @* ]]; then
			# shellcheck disable=SC2046
			names_of $(systemd-analyze syscall-filter --no-pager "$word" | sed -n 's/^ \+\([-@a-z0-9_]\+\)$/\1/p')
		else
			echo "$word"
		fi
	done
}
allowed() { # UNIT: the names of the system calls that it may make
	command -v systemd-analyze >/dev/null || return 0
	# shellcheck disable=SC2046
	comm -23 <(names_of $(setting SystemCallFilter "$1" | sed -n '/^~/!p') | sort -u) <(names_of $(setting SystemCallFilter "$1" | sed -n 's/^~//p') | sort -u)
}
allowed khiend.service.in >"$lab_dir/names"
allowed khien-refresh@.service.in >"$lab_dir/names-refresh"

# As systemd does for khien-refresh.socket: somebody without a name or a right, once for each connection.
refresh_socket=$lab_dir/refresh.sock
cat >"$lab_dir/confine-refresh" <<'END'
#!/bin/bash
set -eu
names=$1 filtered=$2
shift 2
run=(setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all)
exec 9<"$names"
[ -s "$names" ] && run+=("$filtered" /dev/fd/9)
exec "${run[@]}" "$@"
END
chmod +x "$lab_dir/confine-refresh"
nsenter --net="/run/netns/$lab_gw" systemd-socket-activate --accept --inetd --listen="$refresh_socket" -E KHIEN_LOCALEDIR -E LC_ALL \
	"$lab_dir/confine-refresh" "$lab_dir/names-refresh" "$lab_build/tests/filtered" "$lab_build/khien-refresh" </dev/null >>"$lab_dir/refresh.log" 2>&1 &
lab_pids+=($!)
lab_wait "the socket of khien-refresh" test -S "$refresh_socket"

# Everything read-only but state, run and pins, as ProtectSystem=strict, ProtectKernelTunables= and ReadWritePaths= do; then the filter, last.
cat >"$lab_dir/confine" <<'END'
#!/bin/bash
set -eu
folder=$1 pins=$2 bounding=$3 filtered=$4
shift 4
mkdir -p "$pins"
for writable in "$folder/state" "$folder/run" "$pins"; do
	mount --bind "$writable" "$writable"
done
findmnt -rno TARGET | while read -r target; do
	case $target in
	"$folder"/* | "$pins" | /dev/* | /proc/*) ;;
	*) mount -o remount,bind,ro "$target" 2>/dev/null || echo "$target stays" >>"$folder/state/not-read-only" ;;
	esac
done
run=(setpriv --no-new-privs --bounding-set="$bounding" --inh-caps=-all)
[ -s "$folder/names" ] && run+=("$filtered" "$folder/names")
exec "${run[@]}" "$@"
END
chmod +x "$lab_dir/confine"
confined() { # capabilities...
	lab_launcher=(unshare --mount "$lab_dir/confine" "$lab_dir" "$lab_bpffs" "$(bounding "$@")" "$lab_build/tests/filtered")
}
# shellcheck disable=SC2086
confined $capabilities
lab_daemon_start --refresh "$refresh_socket" || exit 1
status_of() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
wanted=0
for one in $capabilities; do
	number=$(sed -n "s/^#define ${one}[[:space:]]\+\([0-9]\+\)$/\1/p" /usr/include/linux/capability.h)
	wanted=$((wanted | 1 << number))
done
is "it runs with the capabilities of the unit and no others" "$(printf '%016x' $wanted)" "$(status_of "$lab_daemon" CapEff)"
is "none more can be had" "$(printf '%016x' $wanted)" "$(status_of "$lab_daemon" CapBnd)"
is "no new privileges" 1 "$(status_of "$lab_daemon" NoNewPrivs)"
[ -s "$lab_dir/names" ] && is "behind the unit's filter of system calls" 2 "$(status_of "$lab_daemon" Seccomp)"
is "nothing else can be written" "" "$(nsenter --target "$lab_daemon" --mount sh -c "mkdir /etc/khien-test /usr/khien-test /var/khien-test /sys/fs/bpf/khien-test && rmdir /etc/khien-test /usr/khien-test /var/khien-test /sys/fs/bpf/khien-test" 2>&1 | grep -v 'Read-only file system')"
# shellcheck disable=SC2016
is "nor /proc/sys" "" "$(nsenter --target "$lab_daemon" --mount sh -c 'was=$(cat /proc/sys/vm/swappiness) && echo "$was" >/proc/sys/vm/swappiness' 2>&1 | grep -v 'Read-only file system')"

# ---- What it does all the same ------------------------------------------------------------------------------

lab_web "$lab_net" 80 internet
links() { find "$lab_bpffs" -path '*/links/*' 2>/dev/null | wc -l; }
runs "it protects" 0 khien status
is "every interface carries its programs" 4 "$(links)"
printf 'Số: 123/CATTT-MAU\nPHỤ LỤC\nDanh sách địa chỉ\n203.0.113.7\n2001:db8:bad::7\n' >"$lab_dir/letter.txt"
runs "it reads a letter" 0 khien push "$lab_dir/letter.txt" --yes
is "which blocks" "" "$(office_get lan1 http://203.0.113.7/)"
is "and nothing else" internet "$(office_get lan1 http://203.0.113.8/)"
runs "it proves it" 0 khien verify
is "it counts" True "$(khien stats --by host --json | json "d['total']['packets_dropped'] > 0")"
python3 -c 'for i in range(20000): print(f"198.51.{i >> 8 & 127}.{i & 255}")' >"$lab_dir/long.txt"
khien push "$lab_dir/long.txt" --ref 7/STTTT --yes >/dev/null
is "a long list" dropped "$(khien why 198.51.7.7 --json | json "d['verdict']")"
runs "an undo" 0 khien undo
runs "the audit holds" 0 khien history --verify

feeds=$lab_dir/feeds
mkdir "$feeds"
printf '203.0.113.40\n203.0.113.41\n' >"$feeds/list.txt"
nsenter --net="/run/netns/$lab_net" "$here/feeds.py" "$feeds" 203.0.113.80 8080 </dev/null >>"$lab_dir/feeds.log" 2>&1 &
lab_pids+=($!)
lab_wait "the server of lists" in_gw ncat -z 203.0.113.80 8080
khien source add feed http://203.0.113.80:8080/list.txt --drop >/dev/null
runs "a source is fetched" 0 khien source refresh feed
is "and blocks" "" "$(office_get lan1 http://203.0.113.40/)"
khien source add slow http://203.0.113.80:8080/slow >/dev/null
lab_wait "the slow answer to begin" grep -q '^/slow' "$feeds/requests"
is "by no child of the daemon" "" "$(pgrep -P "$lab_daemon")"
refresher=$(pgrep -f "^$lab_build/khien-refresh")
is "by somebody who is nobody" "65534 65534" "$(status_of "$refresher" Uid | cut -f1) $(status_of "$refresher" Gid | cut -f1)"
is "and can get no capability" "0000000000000000 0000000000000000" "$(status_of "$refresher" CapEff) $(status_of "$refresher" CapBnd)"
[ -s "$lab_dir/names-refresh" ] && is "behind a filter of system calls" 2 "$(status_of "$refresher" Seccomp)"
runs "and who ends when nobody waits" 0 khien source remove slow
gone() { ! kill -0 "$refresher" 2>/dev/null; }
lab_wait "its end" gone && ok "it has ended"
khien source add slow http://203.0.113.80:8080/slow >/dev/null
refreshing() { pgrep -f "^$lab_build/khien-refresh" >/dev/null; }
lab_wait "another" refreshing
refresher=$(pgrep -f "^$lab_build/khien-refresh")

sed -i 's/^lan = .*/lan = eth1/' "$lab_dir/khien.conf"
kill -HUP "$lab_daemon"
lab_wait "the reload" grep -q event=reloaded "$lab_dir/khiend.log"
is "an interface in no role is let go" 3 "$(links)"
sed -i 's/^lan = .*/lan = eth1, eth2/' "$lab_dir/khien.conf"
lab_daemon_stop KILL
lab_wait "the end of khien-refresh" gone && ok "killed, it takes along who fetches for it"
is "and goes on blocking" "" "$(office_get lan1 http://203.0.113.7/)"
lab_daemon_start --refresh "$lab_dir/nobody.sock" || exit 1
khien source remove slow >/dev/null
runs "where nobody listens to fetch" 1 khien source refresh feed
contains "it is said" "does not answer at $lab_dir/nobody.sock" "$(khien source show feed)"
is "and the copy before stays in force" "" "$(office_get lan1 http://203.0.113.40/)"
runs "it adopts what is there" 0 khien verify
is "all of it" 4 "$(links)"
runs "reattach" 0 khien reattach eth1
is "nothing was refused it" 0 "$(grep -v 'event=source-failed' "$lab_dir/khiend.log" | grep -c 'Operation not permitted\|event=.*-failed')"

# ---- Each is needed -----------------------------------------------------------------------------------------

lab_daemon_stop TERM
all_but() { # CAPABILITY
	local one
	for one in $capabilities; do
		[ "$one" = "$1" ] || echo "$one"
	done
}
for one in CAP_BPF CAP_NET_ADMIN CAP_PERFMON CAP_SYS_ADMIN; do
	# shellcheck disable=SC2046
	out=$(in_gw setpriv --no-new-privs --bounding-set="$(bounding $(all_but $one))" "$lab_build/khiend" --config "$lab_dir/khien.conf" \
		--state "$lab_dir/state" --run "$lab_dir/run" --bpffs "$lab_bpffs" 2>&1)
	is "without $one it does not start" 1 $?
	contains "and says so" "missing $one" "$out"
done
# shellcheck disable=SC2086
confined $capabilities
lab_daemon_start || exit 1
runs "it detaches" 0 khien detach
is "everything" 0 "$(links)"
finish
