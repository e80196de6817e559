#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Bad input: a clear error that says what, where and what next; and nothing is lost. After each case the listed host is still dropped,
# the next one still passes, and the history is the same to the byte.
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "$0")/check.sh"
. "$(dirname "$0")/lab.sh"
need_root
KHIEN_LANG=en lab_up
export LC_ALL=C.UTF-8
trap 'umount -l "$lab_dir/state" 2>/dev/null; lab_down' EXIT
# The private ranges stay refused, so that 10.1.2.3/8 meets both questions.
sed -i 's|^exempt = .*|exempt = 198.51.100.0/24 203.0.113.0/24 2001:db8::/32|' "$lab_dir/khien.conf"
mkdir -p "$lab_dir/state"
mount -t tmpfs -o size=48m tmpfs "$lab_dir/state" # to fill later
lists=$lab_dir/lists
mkdir "$lists"

khiend() { in_gw "$lab_build/khiend" --config "$lab_dir/khien.conf" --state "$lab_dir/state" --run "$lab_dir/run" --bpffs "$lab_bpffs" "$@" 2>&1; }
history() { khien history --json; }
packets() { khien stats --by indicator --json | json "sum(r['packets'] for r in d['rows'] if r['key'].startswith('$1'))"; }
links() { find "$lab_bpffs" -path '*/links/*' | wc -l; }

# What holds, by packets: one frame from the listed host is dropped and counted, one from its neighbour by nothing at all.
as_before() { # what happened
	local before
	before=$(packets 203.0.113.)
	in_net "$lab_build/tests/frame" wan 1 203.0.113.7 192.0.2.57 445
	in_net "$lab_build/tests/frame" wan 1 203.0.113.8 192.0.2.57 445
	is "after $1: enforcement is as before" 1 "$(($(packets 203.0.113.) - before))"
	is "after $1: the history is as before" "$known" "$(history)"
}

refused() { # what exit-code wanted-text command...
	local what=$1 code=$2 text=$3 got=0 out
	shift 3
	out=$("$@" 2>&1 </dev/null) || got=$?
	is "$what: exit $code" "$code" "$got"
	contains "$what: says what and where" "$text" "$out"
	case $out in
	*→\ * | *hint=* | *$'\n    '*) ok "$what: says what next" ;;
	*) not_ok "$what: says what next" "$out" ;;
	esac
}

lab_daemon_start || exit 1
runs "an order" 0 khien block 203.0.113.7 --yes --ref 1/TEST
known=$(history)

# ---- Files --------------------------------------------------------------------------------------

{ printf '203.0.113.8\n'; head -c 300000 /dev/zero | tr '\0' '\377'; } > "$lists/binary"
truncate -s 100M "$lists/zeros"
yes 203.0.113.8 | head -c 104857600 > "$lists/huge.txt"
printf '203.0.113.8\n\x80\x81\x82\x83\x84\x85\x86\x87\xfe\xff\n' > "$lists/latin.txt"
printf '203.0.113.8\n\0\0\n' > "$lists/nul.txt"
: > "$lists/empty.txt"
printf '%%PDF-1.4\n1 0 obj' > "$lists/cut.pdf"
printf 'PK\3\4cut' > "$lists/cut.docx"
printf '203.0.113.8\n203.0.113.9\n203.0.113.' > "$lists/cut.txt"
refused "binary" 1 "binary: line 2" khien push --yes "$lists/binary"
as_before "binary"
refused "100 MB of zeros" 1 "zeros: larger than" khien push --yes "$lists/zeros"
refused "100 MB of addresses" 1 "huge.txt: larger than" khien push --yes "$lists/huge.txt"
as_before "100 MB"
refused "invalid UTF-8" 1 "latin.txt: line 2" khien push --yes "$lists/latin.txt"
refused "a NUL byte" 1 "nul.txt: line 2" khien push --yes "$lists/nul.txt"
refused "an empty file" 1 "empty.txt" khien push --yes "$lists/empty.txt"
refused "a truncated PDF" 1 "cut.pdf" khien push --yes "$lists/cut.pdf"
refused "a truncated DOCX" 1 "cut.docx" khien push --yes "$lists/cut.docx"
runs "no such file" 1 khien push --yes "$lists/none.txt"
runs "a folder" 1 khien push --yes "$lists"
as_before "files that cannot be read"
printf '203.0.113.8\n' > "$lists/good.txt"
refused "a good file beside a bad one" 1 "latin.txt: line 2" khien push --yes "$lists/good.txt" "$lists/latin.txt"
as_before "a push of which one file is bad"
out=$(khien push --yes --dry-run "$lists/cut.txt" 2>&1)
contains "an address cut off at the end waits for review, it is not completed" "to review 1" "$out"
as_before "a trial run"

# ---- Values -------------------------------------------------------------------------------------

cat > "$lists/values.txt" <<-LIST
	0.0.0.0/0
	::/0
	192.0.2.1
	203.0.113.40
	203.0.113.40
	203.0.113.40/30
	10.1.2.3/8
	203.0.113.5/24
	2001:db8:666::1/48
	203.0.113.010
	1.2.3.4.5
	203.0.113.256
LIST
plan=$(khien push --yes --dry-run --json "$lists/values.txt")
said() { json "' '.join('%(decision)s/%(reason)s' % r for r in d['rows'] if r['raw'] == '$1')" <<< "$plan"; }
is "a whole family is refused" "refuse/everything" "$(said 0.0.0.0/0)"
is "of IPv6 too" "refuse/everything" "$(said ::/0)"
is "the gateway's own address is refused" "refuse/own-address" "$(said 192.0.2.1)"
is "a duplicate is one order" "enforce/listed" "$(said 203.0.113.40)"
is "an overlap is an order of its own" "enforce/listed" "$(said 203.0.113.40/30)"
is "host bits wait for review" "review/host-bits" "$(said 203.0.113.5/24)"
is "also where the network would be refused" "review/host-bits" "$(said 10.1.2.3/8)"
is "also in IPv6" "review/host-bits" "$(said 2001:db8:666::1/48)"
is "leading zeros wait for review" "review/malformed" "$(said 203.0.113.010)"
is "five octets wait for review" "review/malformed" "$(said 1.2.3.4.5)"
is "an octet of 256 waits for review" "review/malformed" "$(said 203.0.113.256)"
is "each row says its line" True "$(json "all(r['line'] for r in d['rows'])" <<< "$plan")"
as_before "the plan of it"
runs "pushed, it is done in part" 3 khien push --yes "$lists/values.txt"
is "only what is certain is enforced" "203.0.113.40 203.0.113.40/30 203.0.113.7" \
	"$(khien list --json | json "' '.join(sorted(i['value'] for i in d['indicators'] if i['state'] == 'enforced'))")"
is "neither the host nor the network of host bits" "passed passed" \
	"$(for address in 203.0.113.5 203.0.113.6; do khien why "$address" --json | json "d['verdict']"; done | xargs)"
refused "host bits on the command line" 1 "203.0.113.5/24 has bits set" khien block --yes 203.0.113.5/24
runs "no value at all" 2 khien block --yes
known=$(history)
as_before "values"

# ---- Rights, sockets, configuration -------------------------------------------------------------

chmod 755 "$lab_dir" "$lab_dir/run"
refused "khien without root" 4 "control.sock" \
	in_gw setpriv --reuid=65534 --regid=65534 --clear-groups "$lab_build/khien" --socket "$lab_dir/run/control.sock" unblock 203.0.113.7
refused "khiend without root" 1 CAP_BPF in_gw setpriv --reuid=65534 --regid=65534 --clear-groups "$lab_build/khiend" --config "$lab_dir/khien.conf"
refused "a second daemon" 1 "another khiend uses $lab_dir/run" khiend
refused "a second daemon on the same state" 1 "another khiend uses $lab_dir/state" \
	in_gw "$lab_build/khiend" --config "$lab_dir/khien.conf" --state "$lab_dir/state" --run "$lab_dir/run2" --bpffs "$lab_bpffs-2"
refused "a second daemon on the same socket" 1 "another khiend uses $lab_dir/run" \
	in_gw "$lab_build/khiend" --config "$lab_dir/khien.conf" --state "$lab_dir/state2" --run "$lab_dir/run" --bpffs "$lab_bpffs-2"
as_before "strangers and second daemons"
cp "$lab_dir/khien.conf" "$lab_dir/good.conf"
printf '[guard]\ncolour = red\n' >> "$lab_dir/khien.conf"
refused "an unknown key" 1 "khien.conf:$(wc -l < "$lab_dir/khien.conf")" khiend --check
sed 's/^lan = .*/lan = eth1, eth9/' "$lab_dir/good.conf" > "$lab_dir/khien.conf"
refused "an interface that does not exist" 1 "eth9" khiend --check
cp "$lab_dir/good.conf" "$lab_dir/khien.conf"
as_before "checks of bad configurations"

# ---- A full disk --------------------------------------------------------------------------------

seq -f '198.51.100.%g' 0 255 > "$lists/many.txt"
python3 -c 'for i in range(20000): print("2001:db8:777::%x" % i)' >> "$lists/many.txt"
dd if=/dev/zero of="$lab_dir/state/filler" bs=64k 2>/dev/null
counted=$(packets 203.0.113.7)
refused "a full disk" 1 "$lab_dir/state" khien push --yes --ref 2/TEST "$lists/many.txt"
is "on a full disk the history is as before" "$known" "$(history)"
in_net "$lab_build/tests/frame" wan 7 203.0.113.7 192.0.2.57 445
is "what was ordered is still dropped" dropped "$(khien why 203.0.113.7 --json | json "d['verdict']")"
is "and what was not is not" passed "$(khien why 2001:db8:777::1 --json | json "d['verdict']")"
runs "what is enforced is still what is ordered" 0 khien verify
rm "$lab_dir/state/filler"
is "packets of that time are counted when there is room again" 7 "$(($(packets 203.0.113.7) - counted))"
runs "with room again the same push is taken" 0 khien push --yes --ref 2/TEST "$lists/many.txt"
is "and enforced" dropped "$(khien why 2001:db8:777::4e1f --json | json "d['verdict']")"
known=$(history)

# ---- A damaged ledger ---------------------------------------------------------------------------

lab_daemon_stop TERM
ledger=$lab_dir/state/ledger.db
cp "$ledger" "$lab_dir/good.db"
truncate -s $(($(stat -c %s "$ledger") / 2)) "$ledger"
sum=$(sha256sum < "$ledger")
attached=$(links)
refused "a ledger cut in half" 1 "$ledger" khiend
is "it was kept byte for byte" "$sum" "$(sha256sum < "$ledger")"
is "what was attached still is" "$attached" "$(links)"
runs "--new-ledger puts it aside" 0 khiend --new-ledger
is "still byte for byte" "$sum" "$(cat "$lab_dir"/state/ledger.db.damaged-*[0-9] | sha256sum)"
cp "$lab_dir/good.db" "$ledger" # as from a backup
lab_daemon_start || exit 1
as_before "a ledger restored"
runs "detach" 0 khien detach
finish
