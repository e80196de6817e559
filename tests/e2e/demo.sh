#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `make demo`: a ministry letter becomes dropped packets, in a laboratory of network namespaces that this script makes and takes
# away again. Nothing outside it is contacted, and no setting of this machine is changed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/lab.sh
. "$here/lab.sh"

[ "$(id -u)" = 0 ] || { echo "make demo needs root: it makes network namespaces and loads BPF programs" >&2; exit 1; }
lab_mode=${1:-auto}
vi=$([ "${KHIEN_LANG:-vi}" = vi ] && echo 1)
bold='' dim='' plain=''
[ -t 1 ] && bold=$'\e[1;36m' dim=$'\e[2m' plain=$'\e[0m'

say() { # vietnamese english
	printf '\n%s── %s%s\n' "$bold" "$([ "$vi" ] && echo "$1" || echo "$2")" "$plain"
}
show() { # command as typed, then the real one
	printf '%s$ khien %s%s\n' "$dim" "$*" "$plain"
	khien --lang "${KHIEN_LANG:-vi}" "$@"
}
surprises=0
# It is a demonstration, and a test of itself: every connection is told how it should go.
seen() { # passes|dropped who where answer
	local note=
	if [ "$([ "$4" ] && echo passes || echo dropped)" != "$1" ]; then
		note=" ← !!"
		surprises=$((surprises + 1))
	fi
	printf '  %-11s → %-38s %s%s\n' "$2" "$3" "${4:-✗}" "$note"
}
try() { # passes|dropped who machine url
	seen "$1" "$2" "$4" "$(office_get "$3" "$4")"
}

cd "$lab_root" || exit 1
advisories=rules/advisories
say "Dựng phòng thí nghiệm: internet, gateway, văn phòng (không gian mạng riêng)" "Building the laboratory: internet, gateway, office (network namespaces)"
lab_up
lab_web "$lab_net" 80 "✓ internet"
lab_web "$lab_office" 8080 "✓ office"
lab_daemon_start || exit 1
show status

say "1. Trước khi có lệnh: mọi kết nối đều thông" "1. Before any order: everything connects"
lab_wait "the web server" office_get lan1 http://203.0.113.7/
try passes "192.0.2.57" lan1 http://203.0.113.7/
try passes "192.0.2.122" lan2 http://198.51.100.23/
try passes "192.0.2.57" lan1 "http://[2001:db8:bad::7]/"

say "2. Công văn tăng cường bảo đảm an toàn dịp Tết: không có chỉ báo mạng nào, đó không phải là lỗi" \
	"2. The letter to strengthen security over Tết: no network indicators, and that is no error"
show push --yes "$advisories/cong-van-ra-soat.txt"

say "3. 22:40, công văn có phụ lục máy chủ điều khiển: xem trước, rồi chặn" "3. 22:40, a letter with an annex of C2 servers: look first, then block"
show push --yes "$advisories/cong-van-mau-c2.txt"

say "4. Máy trong văn phòng gọi ra: địa chỉ trong phụ lục bị chặn, địa chỉ khác vẫn thông" "4. Office machines call out: listed addresses are dropped, others are not"
try dropped "192.0.2.57" lan1 http://203.0.113.7/
try dropped "192.0.2.122" lan2 http://203.0.113.7/
try dropped "192.0.2.57" lan1 "http://[2001:db8:bad::7]/"
try passes "192.0.2.57" lan1 http://203.0.113.200/
try passes "192.0.2.122" lan2 "http://[2001:db8:777::1]/"

say "5. Kẻ tấn công từ ngoài vào; và khung PPPoE trong VLAN như đường truyền thật" "5. An attacker from outside; and PPPoE-in-VLAN frames as on a real line"
seen dropped "203.0.113.7" http://192.0.2.57:8080/ "$(in_net curl -s --interface 203.0.113.7 --max-time 1 http://192.0.2.57:8080/)"
in_net "$lab_build/tests/frame" wan 25 vlan:35 pppoe 203.0.113.7 192.0.2.57 445 && echo "  25 × VLAN 35 + PPPoE + IPv4 203.0.113.7 → 192.0.2.57"

say "6. Ai đã bị chặn, theo lệnh nào, máy nào đã gọi" "6. What was dropped, on whose order, and which machine called"
show stats --by advisory
show stats --by indicator
show stats --by host
show why 203.0.113.7
show why 192.0.2.57

say "7. Đối chiếu: điều đã ra lệnh đúng là điều đang chặn" "7. Proof: what is ordered is what is enforced"
show verify
show status

say "8. Hoàn tác" "8. Undo"
show undo
try passes "192.0.2.57" lan1 http://203.0.113.7/
say "Dọn dẹp: mọi thứ đã dựng đều được gỡ bỏ" "Cleaning up: everything that was made is taken away"
khien detach >/dev/null
if [ "$surprises" -gt 0 ]; then
	echo "$surprises connections went otherwise than they should (!!)" >&2
	exit 1
fi
