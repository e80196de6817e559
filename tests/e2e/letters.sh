#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Letters: who issued them, what a person corrects, a number that cannot be read, an annex with and without a number, and one advisory that
# arrives under several numbers.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/lab.sh
. "$here/lab.sh"
# shellcheck source=tests/e2e/check.sh
. "$here/check.sh"
need_root

lab_up
mkdir "$lab_dir/issuers.d"
cp "$lab_root"/rules/issuers.d/*.list "$lab_dir/issuers.d/"
printf '[letters]\nissuers = %s\n' "$lab_dir/issuers.d" >>"$lab_dir/khien.conf"
lab_daemon_start || exit 1
cd "$lab_dir" || exit 1
letter() { khien show "$1" --json | json "$2"; }

# ---- issuers ----
head='CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\n%s\nSố: %s\nHà Nội, ngày 2 tháng 9 năm 2023\nV/v chặn máy chủ\nKính gửi: Các đơn vị\n%s\n'
# shellcheck disable=SC2059
write() { printf "$head" "$@"; }
write 'CỤC AN TOÀN THÔNG TIN' '941/CATTT-NCSC' 'PHỤ LỤC' >941.txt
printf '203.0.113.7\n203.0.113.8\n' >>941.txt
runs "a letter is pushed" 0 khien push --yes 941.txt
is "its issuer has the name of the table" "Cục An toàn thông tin" "$(letter 941 "d['letter']['issuer']")"
printf '203.0.113.9\n' >more.txt
runs "a list under its number" 0 khien push --yes --ref 941/cattt-ncsc --date 2/9/2023 more.txt
is "is of the same letter" 3 "$(letter 941/CATTT-NCSC "len(d['indicators'])")"
printf 'Sở Mẫu tỉnh Thử = SMT, SỞ MẪU\n' >issuers.d/50-tinh.list
printf '203.0.113.20\n' >one.txt
runs "a code of the province, put there a moment ago" 0 khien push --yes --ref 5/SMT-VP one.txt
is "is known without a restart" "Sở Mẫu tỉnh Thử" "$(letter 5/SMT "d['letter']['issuer']")"
printf 'Sở Hai = X\nkhông có dấu bằng\n' >issuers.d/60-sai.list
out=$(in_gw "$lab_build/khiend" --config "$lab_dir/khien.conf" --check 2>&1)
is "--check names the wrong line" 1 "$(grep -c '60-sai.list:2: ' <<<"$out")"
out=$(khien push --dry-run --json --ref 6/SMT one.txt)
is "and a push says so, and goes on" 1 "$(json "sum('60-sai.list:2: ' in n for n in d['notes'])" <<<"$out")"
out=$(khien --lang en read --issuers issuers.d 941.txt)
is "read names the line, too" 1 "$(grep -c '60-sai.list:2: ' <<<"$out")"
rm issuers.d/60-sai.list

# ---- corrections ----
write 'CC TON' '12/XYZ' '' >12.txt
printf '203.0.113.30\n' >>12.txt
for wrong in 31/2/2023 2023/01/21 hôm-nay; do
	runs "--date $wrong is refused" 2 khien push --yes --date "$wrong" 12.txt
done
runs "an empty issuer is refused" 2 khien push --yes --issuer '' 12.txt
runs "and nothing was done" 1 khien show 12/XYZ
khien push --yes 12.txt >/dev/null
is "as it was read" "2023-09-02" "$(letter 12/XYZ "d['letter']['date']")"
runs "a person corrects it" 0 khien push --yes 12.txt --date 21/1/2022 --issuer 'Sở Đúng'
is "date and issuer are the person's" "2022-01-21 Sở Đúng" "$(letter 12/XYZ "d['letter']['date'] + ' ' + d['letter']['issuer']")"
changes=$(khien history --json | json "len(d['changes'])")
khien push --yes 12.txt >/dev/null
is "the same file again is the same letter" "$changes" "$(khien history --json | json "len(d['changes'])")"
is "there is one" "2022-01-21" "$(letter 12/XYZ "d['letter']['date']")"
is "list says it with its rows" "['Sở Đúng']" "$(khien list --ref 12/XYZ --json | json "[l['issuer'] for l in d['letters']]")"
is "why, too" "['Cục An toàn thông tin']" "$(khien why 203.0.113.7 --json | json "[l['issuer'] for l in d['letters']]")"
is "and read" "2022-01-21 Sở Đúng 7/A" "$(khien read --json --ref 7/A --date 2022-01-21 --issuer 'Sở Đúng' 12.txt |
	json "(lambda l: l['date'] + ' ' + l['issuer'] + ' ' + l['number'])(d['documents'][0]['letter'])")"
write 'SỞ B' '13/XYZ' '' >13.txt
runs "two letters have no one date" 2 khien push --yes --date 1/1/2023 12.txt 13.txt

# ---- a number that cannot be read ----
write 'SỞ MẪU' '/' 'PHỤ LỤC' >mo.txt
printf '203.0.113.40\n' >>mo.txt
out=$(khien --lang en push --yes mo.txt 2>&1 </dev/null)
is "without a terminal it is exit 2" 2 $?
is "and says how" 1 "$(grep -c -- '--ref' <<<"$out")"
runs "nothing of it is held" 0 khien why 203.0.113.40
is "nor blocked" "[]" "$(khien why 203.0.113.40 --json | json "d['by']")"
runs "with --ref it is pushed" 0 khien push --yes --ref 14/SMT mo.txt
runs "a plain list needs no number" 0 khien push --yes one.txt
printf 'Phụ lục\n(Kèm theo Công văn số 14/SMT ngày 2/9/2023)\n203.0.113.41\n' >kem.txt
runs "nor does a letter whose annex tells it" 0 khien push --yes mo.txt kem.txt
is "it is of that letter" "['14/SMT']" "$(khien why 203.0.113.41 --json | json "d['by'][0]['refs']")"
khien read --json mo.txt >mo.json
runs "read elsewhere, it is asked for here all the same" 2 khien push --yes mo.json

# ---- files and letters ----
write 'SỞ MỘT' '21/SMOT' 'PHỤ LỤC' >21.txt
printf '203.0.113.50\n' >>21.txt
write 'SỞ HAI' '22/SHAI' 'PHỤ LỤC' >22.txt
printf '203.0.113.51\n' >>22.txt
printf '203.0.113.52\n' >a.txt
printf '203.0.113.53\n' >b.txt
refs() { khien why "$1" --json | json "d['by'][0]['refs'][0]"; }
runs "two letters, each followed by its list" 0 khien push --yes 21.txt a.txt 22.txt b.txt
is "the first list is of the first letter" 21/SMOT "$(refs 203.0.113.52)"
is "the second of the second" 22/SHAI "$(refs 203.0.113.53)"
printf '203.0.113.54\n' >c.txt
runs "a list before its letter" 0 khien push --yes c.txt 22.txt
is "is of that letter" 22/SHAI "$(refs 203.0.113.54)"

# ---- one advisory under several numbers ----
write 'SỞ MẪU' '46/SMT-CNTT' 'Chuyển Công văn số 941/CATTT-NCSC ngày 2/9/2023.
PHỤ LỤC' >46.txt
printf '203.0.113.7\n203.0.113.8\n203.0.113.60\n' >>46.txt
plan=$(khien push --dry-run --json 46.txt)
is "the plan knows the letter passed on" "['941/CATTT-NCSC']" "$(json "d['letters'][0]['relays']" <<<"$plan")"
is "and what both have" "[('941/CATTT-NCSC', 2)]" "$(json "[(c['number'], c['shared']) for c in d['letters'][0]['chain']]" <<<"$plan")"
runs "a trial run leaves nothing" 1 khien show 46/SMT
runs "the relay is pushed" 0 khien push --yes 46.txt
is "each knows the other" "941/CATTT-NCSC 46/SMT-CNTT" "$(letter 46/SMT "d['chain'][0]['number']") $(letter 941 "d['chain'][0]['number']")"
is "one value has two letters" 2 "$(khien why 203.0.113.7 --json | json "len(d['by'])")"
runs "the first is withdrawn" 0 khien unblock --ref 941/CATTT-NCSC
is "what the other orders stays" "['enforced']" "$(khien list --json | json "[i['state'] for i in d['indicators'] if i['value'] == '203.0.113.7']")"
runs "what only the first ordered goes" 0 khien why 203.0.113.9
is "so it is" "[]" "$(khien list --json | json "[i['state'] for i in d['indicators'] if i['value'] == '203.0.113.9']")"

# ---- how grave a vulnerability is ----
write 'SỞ MẪU' '30/SMT' 'Vá CVE-2026-10001 (CVSS: 9.8, Nghiêm trọng) và CVE-2026-10002.' >30.txt
khien push --yes 30.txt >/dev/null
is "is kept with the letter" "[9.8, None] ['critical', None]" \
	"$(letter 30/SMT "str([v['cvss'] for v in d['vulnerabilities']]) + ' ' + str([v['severity'] for v in d['vulnerabilities']])")"
finish
