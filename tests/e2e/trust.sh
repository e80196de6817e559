#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# [trust] keys: only what is signed (by the real minisign) or confirmed at a terminal (a real pseudoterminal) is enforced, by whatever road it comes. What is
# bad is refused, changes nothing, and is in the audit.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/lab.sh
. "$here/lab.sh"
# shellcheck source=tests/e2e/check.sh
. "$here/check.sh"
need_root
command -v minisign >/dev/null || { echo "skipped: minisign is not installed"; exit 77; }

KHIEN_LANG=en lab_up
export LC_ALL=C.UTF-8
lab_web "$lab_net" 80 "internet"
mkdir "$lab_dir/keys" "$lab_dir/lists"
for key in ministry province stranger; do
	minisign -G -W -f -p "$lab_dir/keys/$key.pub" -s "$lab_dir/keys/$key.key" >/dev/null
done
public() { sed -n 2p "$lab_dir/keys/$1.pub"; }
id_of() { sed -n 's/.*public key //p' "$lab_dir/keys/$1.pub"; }
sign() { # key file [words of minisign]
	local key=$1 file=$2
	shift 2
	minisign -S -s "$lab_dir/keys/$key.key" -m "$file" "$@" >/dev/null
}
list() { # name value...
	local name=$1
	shift
	printf '%s\n' "$@" >"$lab_dir/lists/$name"
}
trust() { # words of keys: the configuration says so, and is loaded anew
	sed -i '/^\[trust\]/,$d' "$lab_dir/khien.conf"
	[ $# = 0 ] || printf '[trust]\nkeys = %s\n' "$*" >>"$lab_dir/khien.conf"
	[ -n "$lab_daemon" ] || return 0
	before=$(grep -c event=reloaded "$lab_dir/khiend.log")
	kill -HUP "$lab_daemon"
	lab_wait "the reload" reloaded "$before"
}
reloaded() { [ "$(grep -c event=reloaded "$lab_dir/khiend.log")" -gt "$1" ]; }
at_terminal() { # what is typed there, the command
	in_gw "$here/terminal.py" "$1" "$lab_build/khien" --socket "$lab_dir/run/control.sock" "${@:2}"
}
last() { khien history --audit --json --top 1 | json "d['entries'][0]$1"; }
changes() { khien history --json | json "len(d['changes'])"; }
state() { khien why "$1" --json | json "d['verdict']"; }
push() { khien push "$@" --yes 2>&1; }

# ---- Without the section nothing changes ----------------------------------------------------------------

list plain.txt 203.0.113.5
lab_daemon_start || exit 1
runs "without [trust] whatever is pushed is enforced" 0 push "$lab_dir/lists/plain.txt"
list signed.txt 203.0.113.6
sign stranger "$lab_dir/lists/signed.txt"
contains "a signature is not looked at, and that is said" "no [trust] keys" "$(push "$lab_dir/lists/signed.txt")"
is "so it is enforced, whoever signed it" dropped "$(state 203.0.113.6)"

# ---- Signed -----------------------------------------------------------------------------------------------

printf '# those who may order\n%s\n' "$(cat "$lab_dir/keys/province.pub")" >"$lab_dir/keys/trusted"
trust "$(public ministry) $lab_dir/keys/trusted"
is "what was in force stays in force" dropped "$(state 203.0.113.5)"
list order.txt 203.0.113.7 2001:db8:bad::7
sign ministry "$lab_dir/lists/order.txt" -t 'letter 123, 21 January 2023'
is "before, the internet answers" internet "$(office_get lan1 http://203.0.113.7/)"
out=$(push "$lab_dir/lists/order.txt")
is "a signed list is enforced, without a terminal" 0 $?
contains "it says whose it is" "signed with key $(id_of ministry): letter 123, 21 January 2023" "$out"
is "its packets are dropped" "" "$(office_get lan1 http://203.0.113.7/)"
is "the audit names the key" "['$(id_of ministry)']" "$(last "['command']['signed']")"
contains "and shows it" "signed with $(id_of ministry)" "$(khien history --audit --top 1)"
list second.txt 203.0.113.8
sign province "$lab_dir/lists/second.txt" -l
runs "so is one of the second key, from the file of keys, in the legacy form" 0 push "$lab_dir/lists/second.txt"
is "it is that key" "['$(id_of province)']" "$(last "['command']['signed']")"
list elsewhere.txt 203.0.113.9
sign ministry "$lab_dir/lists/elsewhere.txt" -x "$lab_dir/elsewhere.sig"
runs "a signature that lies elsewhere" 0 push "$lab_dir/lists/elsewhere.txt" --signature "$lab_dir/elsewhere.sig"
runs "is of one file" 2 push "$lab_dir/lists/order.txt" "$lab_dir/lists/second.txt" --signature "$lab_dir/elsewhere.sig"
runs "standard input too" 0 sh -c "printf '198.51.100.9\n' >$lab_dir/in.txt; minisign -S -s $lab_dir/keys/ministry.key -m $lab_dir/in.txt >/dev/null
	'$lab_build/khien' --socket '$lab_dir/run/control.sock' push - --signature $lab_dir/in.txt.minisig --yes <$lab_dir/in.txt"
list both-1.txt 203.0.113.10
list both-2.txt 203.0.113.11
sign ministry "$lab_dir/lists/both-1.txt"
sign province "$lab_dir/lists/both-2.txt"
runs "two files of two keys are one push" 0 push "$lab_dir/lists/both-1.txt" "$lab_dir/lists/both-2.txt"
is "both keys are named" 2 "$(last "['command']['signed']" | tr -cd , | wc -c | awk '{print $1 + 1}')"
rm "$lab_dir/lists/both-2.txt.minisig"
list both-1.txt 203.0.113.12
sign ministry "$lab_dir/lists/both-1.txt"
runs "of which each must be signed" 2 push "$lab_dir/lists/both-1.txt" "$lab_dir/lists/both-2.txt"
is "else nothing of it is enforced" passed "$(state 203.0.113.12)"
runs "the screen asks nobody in vain: a trial run" 0 khien push "$lab_dir/lists/both-1.txt" --dry-run

# ---- Bad ---------------------------------------------------------------------------------------------------

refused() { # description what-is-said: lists/bad.txt with its signature is refused
	local before entries out code
	before=$(changes)
	entries=$(last "['entry']")
	out=$(push "$lab_dir/lists/bad.txt")
	code=$?
	is "$1: refused" "1 $before" "$code $(changes)"
	contains "… in words" "$2" "$out"
	contains "… with what to do" "→" "$out"
	is "… one entry in the audit, with the file" "$((entries + 1)) signature push $(sha256sum "$lab_dir/lists/bad.txt" | cut -d' ' -f1)" \
		"$(khien history --audit --json --top 1 | json "'%d %s %s %s' % (lambda e: (e['entry'], e['command'].get('refused'), e['command']['op'], e['files'][0]))(d['entries'][0])")"
	is "… nothing of it is enforced" passed "$(state 203.0.113.20)"
}
refused_at_terminal() { # the same where a person could say yes
	local before
	before=$(changes)
	contains "… not at a terminal either" "bad.txt" "$(at_terminal c push "$lab_dir/lists/bad.txt")"
	is "… where the trial run is in the audit" "signature True" "$(last "['command'].get('refused')") $(last "['command'].get('dry_run')")"
	is "… and nothing is enforced there" "$before passed" "$(changes) $(state 203.0.113.20)"
}
sigs=$lab_dir/lists/bad.txt.minisig
list bad.txt 203.0.113.20
sign ministry "$lab_dir/lists/bad.txt"
cp "$sigs" "$lab_dir/good.minisig"
list bad.txt 203.0.113.20 203.0.113.21
refused "an altered file" "the file or its signature was changed"
contains "a person sees it" "bad signature" "$(khien history --audit --top 1)"
refused_at_terminal
contains "the journal has it" "event=signature-refused" "$(cat "$lab_dir/khiend.log")"
list bad.txt 203.0.113.20
sed 's/timestamp:/timestamp:1/' "$lab_dir/good.minisig" >"$sigs"
refused "an altered comment" "the comment of its signature"
head -n 2 "$lab_dir/good.minisig" >"$sigs"
refused "a signature cut off" "line 3"
head -c 150 "$lab_dir/good.minisig" >"$sigs"
refused "cut off in a line" "line 2"
: >"$sigs"
refused "an empty one" "line 1"
sign stranger "$lab_dir/lists/bad.txt"
refused "a key that is none of these" "key $(id_of stranger), which is none of"
sed "2s/.*/$(sed -n 2p "$lab_dir/lists/order.txt.minisig" | sed 's/[&/]/\\&/g')/" "$lab_dir/good.minisig" >"$sigs"
refused "the signature of another file" "was changed"
khien --lang vi push "$lab_dir/lists/bad.txt" --yes >"$lab_dir/vi.out" 2>&1
contains "in Vietnamese too" "chữ ký" "$(cat "$lab_dir/vi.out")"
head -c 9000 /dev/zero | tr '\0' x >"$sigs"
runs "what is no signature at all is not even sent" 1 push "$lab_dir/lists/bad.txt"
cp "$lab_dir/good.minisig" "$sigs"
runs "and the good one serves" 0 push "$lab_dir/lists/bad.txt"
khien unblock 203.0.113.20 >/dev/null

# What the client says of the file counts for nothing: the daemon reads it itself.
talk() { # what of it is a lie: prints exit and what is ordered
	in_gw python3 - "$lab_dir/run/control.sock" "$lab_dir/lists" "$1" <<-'END'
		import json, os, socket, struct, sys
		lists, lie = sys.argv[2], sys.argv[3]
		signature = open(lists + "/honest.txt.minisig").read()
		file = os.open(lists + ("/liar.txt" if lie == "file" else "/honest.txt"), os.O_RDONLY)
		read = os.memfd_create("read")  # nothing was read of it, or so it says
		request = {"v": 1, "op": "push", "lang": "en", "typed": True, "files": ["honest.txt"], "signatures": [signature]}
		if lie == "accept":
		    request["accept"] = ["203.0.113.99"]
		text = json.dumps(request).encode()
		talk = socket.socket(socket.AF_UNIX)
		talk.connect(sys.argv[1])
		frame = struct.pack("=I", len(text)) + text
		socket.send_fds(talk, [frame], [file, read])
		length = struct.unpack("=I", talk.recv(4, socket.MSG_WAITALL))[0]
		reply = json.loads(talk.recv(length, socket.MSG_WAITALL))
		print(reply["exit"], [row["value"] for row in reply.get("rows", [])])
	END
}
list honest.txt 203.0.113.30
list liar.txt 203.0.113.31
sign ministry "$lab_dir/lists/honest.txt"
is "another file under that signature" "1 []" "$(talk file)"
is "what a client accepts besides is not signed, and that it has a terminal must be so" "2 []" "$(talk accept)"
is "what its reader says is not looked at" "0 ['203.0.113.30']" "$(talk reader)"

# ---- Confirmed at a terminal ------------------------------------------------------------------------------

list unsigned.txt 203.0.113.40
before=$(changes)
out=$(push "$lab_dir/lists/unsigned.txt")
is "not signed, with --yes and no terminal: exit 2" "2 $before" "$? $(changes)"
contains "it says why" "not signed" "$out"
is "and is in the audit" "unsigned 2" "$(last "['command']['refused']") $(last "['exit']")"
contains "where a person sees it" "neither signed nor confirmed" "$(khien history --audit --top 1)"
out=$(khien push "$lab_dir/lists/unsigned.txt" </dev/null 2>&1)
is "without --yes too" "2 $before" "$? $(changes)"
contains "and does not speak of --yes" "an administrator must answer at a terminal" "$out"
is "nothing is dropped" internet "$(office_get lan1 http://203.0.113.40/)"
at_terminal '' push "$lab_dir/lists/unsigned.txt" --yes >/dev/null
is "--yes is no confirmation, even at a terminal" "2 $before" "$? $(changes)"
out=$(at_terminal n push "$lab_dir/lists/unsigned.txt")
is "nor is No" "1 $before" "$? $(changes)"
contains "there the screen says that it is not signed" "NOT SIGNED" "$out"
out=$(at_terminal c push "$lab_dir/lists/unsigned.txt")
is "answered at a terminal it is enforced" 0 $?
is "its packets are dropped" "" "$(office_get lan1 http://203.0.113.40/)"
is "the audit says so" terminal "$(last "['command']['confirmed']")"
contains "and shows it" "confirmed at a terminal" "$(khien history --audit --top 1)"
runs "a count needs nobody" 0 push "$lab_dir/lists/liar.txt" --monitor

# ---- Every other road -------------------------------------------------------------------------------------

shut() { # description command...: from a script it is refused and changes nothing; at a terminal it is done
	local what=$1 typed=$2 before
	shift 2
	before=$(changes)
	khien "$@" </dev/null >/dev/null 2>&1
	is "$what, from a script: exit 2" "2 $before" "$? $(changes)"
	at_terminal "$typed" "$@" >/dev/null
	is "… typed at a terminal" "0 $((before + 1)) terminal" "$? $(changes) $(last "['command']['confirmed']")"
}
open() { # description command...: from a script it is done
	local what=$1
	shift
	runs "$what needs nobody" 0 khien "$@"
}
shut "block" c block 203.0.113.50
runs "block --yes from a script" 2 khien block 203.0.113.51 --yes
shut "enforce" '' enforce 203.0.113.31
open "monitor" monitor 203.0.113.31
shut "extend" '' extend 203.0.113.50 --ttl 7d
open "unblock" unblock 203.0.113.50
shut "an undo that blocks again" '' undo
open "an undo that frees" undo "$(khien history --json | json "[c['id'] for c in d['changes'] if c['kind'] == 'push'][1]")"
open "allow" allow 203.0.113.40 --note "họp"
open "disallow: the order was confirmed" disallow 203.0.113.40
printf 'Số: 7/CATTT-MAU\nHà Nội, ngày 21 tháng 01 năm 2023\nĐề nghị chặn kết nối tới 203.0.113.60.\n' >"$lab_dir/lists/letter.txt"
khien push "$lab_dir/lists/letter.txt" --yes >/dev/null 2>&1
if [ "$(khien review --json | json "[i['value'] for i in d['indicators']]")" = "['203.0.113.60']" ]; then
	ok "what waits for review is kept without a signature"
else
	khien block 203.0.113.60 --ref 7/CATTT-MAU --yes >/dev/null 2>&1
	not_ok "what waits for review is kept without a signature" "$(khien review)"
fi
shut "accept" '' accept 203.0.113.60
open "reject needs a note, and" list
sign ministry "$lab_dir/lists/letter.txt"
khien unblock 203.0.113.60 >/dev/null
runs "--accept of a signed letter is a person's decision" 2 push "$lab_dir/lists/letter.txt" --accept-all-in body

# A change that nobody confirms is taken back by the daemon itself.
runs "a signed push on trial" 0 push "$lab_dir/lists/both-1.txt" --confirm-within 30s
open "its confirmation" confirm

# ---- Sources ----------------------------------------------------------------------------------------------

feeds=$lab_dir/lists
nsenter --net="/run/netns/$lab_net" "$here/feeds.py" "$feeds" 203.0.113.80 8080 </dev/null >>"$lab_dir/feeds.log" 2>&1 &
lab_pids+=($!)
lab_wait "the server of lists" in_gw ncat -z 203.0.113.80 8080
source_is() { khien source show "$1" --json | json "d['source']['$2']"; }
list feed.txt 198.51.100.1
runs "a source that blocks" 0 khien source add feed http://203.0.113.80:8080/feed.txt --drop
runs "without a signature does not refresh" 1 khien source refresh feed
contains "it shows why" "not signed" "$(source_is feed problem)"
is "nothing of it is enforced" passed "$(state 198.51.100.1)"
sign ministry "$feeds/feed.txt"
runs "with one it does" 0 khien source refresh feed
is "it is enforced" dropped "$(state 198.51.100.1)"
is "and the audit names the key" "source feed ['$(id_of ministry)']" "$(last "['actor']") $(last "['command']['signed']")"
list feed.txt 198.51.100.2
runs "another copy with the signature of the one before" 1 khien source refresh feed
contains "is refused" "was changed" "$(source_is feed problem)"
is "which is in the audit" "signature source feed" "$(last "['command']['refused']") $(last "['actor']")"
is "the last good copy stays in force" "dropped passed" "$(state 198.51.100.1) $(state 198.51.100.2)"
runs "--accept from a script changes nothing about that" 1 khien source refresh feed --accept
rm "$feeds/feed.txt.minisig"
runs "nor without any signature" 1 khien source refresh feed --accept
at_terminal '' source refresh feed --accept >/dev/null
is "an administrator at a terminal takes it" "0 passed dropped" "$? $(state 198.51.100.1) $(state 198.51.100.2)"
is "as the audit says" "source feed terminal" "$(last "['actor']") $(last "['command']['confirmed']")"
list counted.txt 198.51.100.3
khien source add counted http://203.0.113.80:8080/counted.txt >/dev/null
runs "a source that only counts needs no signature" 0 khien source refresh counted
khien source promote counted </dev/null >/dev/null 2>&1
is "but promoting it takes a person" "2 monitored" "$? $(state 198.51.100.3)"
at_terminal '' source promote counted >/dev/null
is "at a terminal" "0 dropped" "$? $(state 198.51.100.3)"

# ---- Keys come and go -------------------------------------------------------------------------------------

trust "$lab_dir/keys/trusted"
list revoked.txt 203.0.113.70
sign ministry "$lab_dir/lists/revoked.txt"
runs "a key that was taken out signs nothing any more" 1 push "$lab_dir/lists/revoked.txt"
is "what it signed before stays in force" dropped "$(state 203.0.113.7)"
list third.txt 203.0.113.71
sign province "$lab_dir/lists/third.txt"
runs "the other goes on" 0 push "$lab_dir/lists/third.txt"
echo RWQnonsense >>"$lab_dir/keys/trusted"
contains "a bad line of the file is named" "$lab_dir/keys/trusted:4:" "$(in_gw "$lab_build/khiend" --config "$lab_dir/khien.conf" --check 2>&1)"
trust "$lab_dir/keys/trusted"
contains "and shown by status" "$lab_dir/keys/trusted:4:" "$(khien status)"
runs "nobody is let in by that" 1 push "$lab_dir/lists/plain.txt" --accept 203.0.113.41 "$lab_dir/lists/letter.txt"
list fourth.txt 203.0.113.72
sign province "$lab_dir/lists/fourth.txt"
runs "and the good keys go on" 0 push "$lab_dir/lists/fourth.txt"
reloads=$(grep -c event=reload-refused "$lab_dir/khiend.log")
printf '[trust]\nkeys = RWQnonsense\n' >"$lab_dir/bad.conf"
sed '/^\[trust\]/,$d' "$lab_dir/khien.conf" | cat - "$lab_dir/bad.conf" >"$lab_dir/new.conf"
contains "a bad key in the configuration is an error with its line" "new.conf:$(wc -l <"$lab_dir/new.conf"):" \
	"$(in_gw "$lab_build/khiend" --config "$lab_dir/new.conf" --check 2>&1)"
cp "$lab_dir/new.conf" "$lab_dir/khien.conf"
kill -HUP "$lab_daemon"
refused_reload() { [ "$(grep -c event=reload-refused "$lab_dir/khiend.log")" -gt "$reloads" ]; }
lab_wait "the refusal" refused_reload
runs "which the running daemon does not take" 2 push "$lab_dir/lists/liar.txt"
runs "the chain of the audit is whole" 0 khien history --verify
runs "what is ordered is enforced" 0 khien verify
finish
