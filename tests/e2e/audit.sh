#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who may what, and who did what: real users and groups (of this test alone: khiend sees other /etc/passwd and /etc/group), logins that stay through a
# change of user, an entry for each request, and a chain that tells when somebody has been at the file.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/lab.sh
. "$here/lab.sh"
# shellcheck source=tests/e2e/check.sh
. "$here/check.sh"
need_root

KHIEN_LANG=en lab_up
export LC_ALL=C.UTF-8
chmod 0711 "$lab_dir"
mkdir "$lab_dir/bin"
cp "$lab_build/khien" "$lab_build/khien-parse" "$lab_build/khien-parse-documents" "$lab_dir/bin/" # where others than root get
van=64001 nam=64002 hoa=64003 look=64010 change=64011
{ cat /etc/passwd; for user in van nam hoa; do echo "$user:x:${!user}:${!user}::/nonexistent:/bin/false"; done; } >"$lab_dir/passwd"
{ grep -v '^khien' /etc/group; printf 'khien:x:%s:\nkhien-admin:x:%s:\n' $look $change; } >"$lab_dir/group"
# shellcheck disable=SC2016
lab_launcher=(unshare --mount sh -c 'mount --bind "$0/passwd" /etc/passwd && mount --bind "$0/group" /etc/group && exec "$@"' "$lab_dir")
lab_daemon_start || exit 1

as() { # user groups arguments...
	local user=$1 groups=$2
	shift 2
	in_gw setpriv --reuid="$user" --regid="$user" --groups="$groups" "$lab_dir/bin/khien" --socket "$lab_dir/run/control.sock" "$@" 2>&1
}
login() { # user arguments...: root, who has logged in as somebody else
	local user=$1
	shift
	# shellcheck disable=SC2016
	in_gw sh -c 'echo "$0" >/proc/self/loginuid && exec "$@"' "$user" "$lab_build/khien" --socket "$lab_dir/run/control.sock" "$@" 2>&1
}
last() { khien history --audit --json --top 1 | json "d['entries'][0]$1"; }
entries() { khien history --audit --json --top 1 | json "d['entries'][0]['entry'] if d['entries'] else 0"; }
changes() { khien history --json | json "len(d['changes'])"; }
verified() { khien history --verify --json | json "$1"; }

# ---- Who may --------------------------------------------------------------------------------------------

is "the socket is for the group khien alone" "660 0 $look" "$(stat -c '%a %u %g' "$lab_dir/run/control.sock")"
as $hoa $hoa list >/dev/null
is "who is in no group cannot even connect" 4 $?
contains "and is told why" "no permission" "$(as $hoa $hoa list)"
contains "and what would help" "group khien" "$(as $hoa $hoa list)"
as $hoa $change list >/dev/null
is "khien-admin alone opens nothing" 4 $?

for question in list review stats history verify "history --audit" "history --verify" "why 203.0.113.7" "source list"; do
	# shellcheck disable=SC2086
	as $van $look $question >/dev/null
	is "khien may look: $question" 0 $?
done
as $van $look block 203.0.113.7 --dry-run >/dev/null
is "and try" 0 $?
out=$(as $van $look block 203.0.113.7 --yes)
is "but not block" 1 $?
is "where a person is asked, it says so instead of asking" 1 "$(as $van $look block 203.0.113.7 </dev/null >/dev/null; echo $?)"
contains "it says which group is needed" "needs the group khien-admin" "$out"
contains "and how to get into it" "usermod --append --groups khien,khien-admin van" "$out"
for act in "unblock 203.0.113.7" "allow 203.0.113.7 --note x" "undo" "detach" "reattach" "enforce 203.0.113.7" "source add feed https://feeds.example/" \
	"accept 203.0.113.7" "extend 203.0.113.7 --ttl 1h"; do
	# shellcheck disable=SC2086
	contains "nor: $act" "needs the group khien-admin" "$(as $van $look $act)"
done
is "nothing was changed" 0 "$(changes)"
is "all of it was written down" 11 "$(entries)"
is "as refusals of van" "['van'] [1]" "$(khien history --audit --json | json "sorted({e['actor'] for e in d['entries']})") $(khien history --audit --json | json "sorted({e['exit'] for e in d['entries']})")"
contains "a person sees it" "no right" "$(khien history --audit)"
is "a look is not written down" 11 "$(khien list >/dev/null; entries)"

out=$(as $nam $look,$change block 203.0.113.7 --yes)
is "with khien-admin it is done" 0 $?
is "by nam, as a change" "nam block 1" "$(last "['actor']") $(last "['command']['op']") $(last "['change']")"
is "with what was asked" "['203.0.113.7']" "$(last "['command']['values']")"
is "and without a login, which there was not" None "$(last "['login']")"

# ---- The login that stays ---------------------------------------------------------------------------------

if login $van --version >/dev/null 2>&1; then
	login $van block 203.0.113.8 --yes >/dev/null
	is "root is somebody" "$van van" "$(last "['login']['uid']") $(last "['login']['name']")"
	if [ "$(last "['login']['proven']")" = True ]; then
		is "and both are named" "van (root)" "$(last "['actor']")"
		is "in the history too" "van (root)" "$(khien history --json | json "d['changes'][0]['actor']")"
	else
		is "on a kernel that cannot prove it, root is root" root "$(last "['actor']")"
		contains "and the claim is shown as one" "root (login van, not proven)" "$(khien history --audit)"
	fi
else
	echo "skipped the login: this kernel keeps none"
fi

# ---- What an entry holds ------------------------------------------------------------------------------------

printf 'Số: 123/CATTT-MAU\nHà Nội, ngày 21 tháng 01 năm 2023\nPHỤ LỤC\nDanh sách địa chỉ\n203.0.113.20\n203.0.113.21\n' >"$lab_dir/letter.txt"
khien push "$lab_dir/letter.txt" --yes >/dev/null
is "a push: the file, by its SHA-256" "['$(sha256sum "$lab_dir/letter.txt" | cut -d' ' -f1)']" "$(last "['files']")"
is "the letter" "123/CATTT-MAU" "$(last "['letter']")"
is "the change" "$(khien history --json | json "d['changes'][0]['id']")" "$(last "['change']")"
before=$(entries)
khien push "$lab_dir/letter.txt" --yes >/dev/null
is "the same again changes nothing, and was asked for" "$((before + 1)) None 0" "$(entries) $(last "['change']") $(last "['exit']")"
khien undo 999 >/dev/null 2>&1
is "what fails is written down" "undo 999 1 None" "$(last "['command']['op']") $(last "['command']['change']") $(last "['exit']") $(last "['change']")"
khien source add feed https://phong:bi-mat-1@feeds.example/list.txt >/dev/null 2>&1
is "what is wrong too" "source-add 2" "$(last "['command']['op']") $(last "['exit']")"
is "without the password" "https://***@feeds.example/list.txt" "$(last "['command']['url']")"
# shellcheck disable=SC2046
khien block $(for i in $(seq 1 250); do echo "198.51.100.$i"; done) --yes >/dev/null
is "a long command is cut" 8 "$(last "['command']['values']" | tr -cd , | wc -c | awk '{print $1 + 1}')"
is "and named by its hash" 64 "$(last "['command']['cut']['sha256']" | tr -d '\n' | wc -c)"
khien enforce 123/cattt-mau >/dev/null
is "a letter by its beginning is named whole" "123/CATTT-MAU" "$(last "['letter']")"
khien block 203.0.113.66 --ttl "${LAB_TTL:-2s}" --yes >/dev/null
expired() { [ "$(last "['actor']")" = khiend ]; }
lab_wait "the deadline" expired
is "what khiend does by itself has an entry" "khiend -1 expire" "$(last "['actor']") $(last "['uid']") $(last "['command']['op']")"
is "every change has one" "$(khien history --top 5000 --json | json "sorted(c['id'] for c in d['changes'])")" \
	"$(khien history --audit --top 5000 --json | json "sorted(e['change'] for e in d['entries'] if e['change'])")"
is "in pages" "$(($(entries) - 3))" "$(khien history --audit --before "$(($(entries) - 2))" --top 1 --json | json "d['entries'][0]['entry']")"

# Nobody who may only look fills the disk.
before=$(entries)
in_gw setpriv --reuid=$van --regid=$van --groups=$look /usr/bin/python3 - "$lab_dir/run/control.sock" <<-'END'
	import json, socket, struct, sys
	talk = socket.socket(socket.AF_UNIX)
	talk.connect(sys.argv[1])
	for number in range(150):
	    text = json.dumps({"v": 1, "op": "undo", "lang": "en"}).encode()
	    talk.sendall(struct.pack("=I", len(text)) + text)
	    length = struct.unpack("=I", talk.recv(4, socket.MSG_WAITALL))[0]
	    talk.recv(length, socket.MSG_WAITALL)
END
written=$(($(entries) - before))
is "of 150 refusals some are written down, and not all" yes "$([ $written -ge 10 ] && [ $written -le 120 ] && echo yes || echo "$written")"

# ---- The chain --------------------------------------------------------------------------------------------

runs "the chain is whole" 0 khien history --verify
is "to its end" "$(entries) None" "$(verified "d['entry']") $(verified "d['fault']")"
in_log() { sed -n 's/.*event=audit entry=\([0-9]*\) hash=\([0-9a-f]*\) .*/\1 \2/p' "$lab_dir/khiend.log"; }
in_ledger() { khien history --audit --top 5000 --json | json "'\n'.join('%d %s' % (e['entry'], e['hash']) for e in reversed(d['entries']))"; }
is "the log says the same, entry by entry" "$(in_ledger)" "$(in_log)"
lab_daemon_stop KILL
lab_daemon_start || exit 1
khien block 203.0.113.30 --yes >/dev/null
runs "it goes on after a daemon that was killed" 0 khien history --verify
is "without a gap" "$(in_ledger)" "$(in_log)"

tamper() { # SQL
	lab_daemon_stop TERM
	python3 - "$lab_dir/state/ledger.db" "DROP TRIGGER IF EXISTS audit_update; DROP TRIGGER IF EXISTS audit_delete; $1" <<-'END'
		import sqlite3, sys
		ledger = sqlite3.connect(sys.argv[1])
		ledger.executescript(sys.argv[2])
		ledger.commit()
	END
	lab_daemon_start || exit 1
}
is "the ledger refuses to forget" refused "$(python3 -c 'import sqlite3,sys
try: sqlite3.connect(sys.argv[1]).execute("DELETE FROM audit WHERE number = 1")
except sqlite3.IntegrityError: print("refused")' "$lab_dir/state/ledger.db")"
tamper "UPDATE audit SET actor = 'hoa' WHERE actor = 'nam'"
out=$(khien history --verify)
is "an entry that was changed is found" 1 $?
contains "and named" "ENTRY 12 WAS CHANGED" "$out"
is "also for programs" "changed 12" "$(verified "d['fault']['what']") $(verified "d['fault']['number']")"
is "blocking goes on" 0 "$(khien verify >/dev/null; echo $?)"
runs "and so does the daemon" 0 khien block 203.0.113.31 --yes
finish
