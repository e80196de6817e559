# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Small assertions for the end-to-end tests: each prints one line, the script ends with the number of failures.

checks_failed=0

ok() { printf 'ok %s\n' "$1"; }
not_ok() {
	printf 'not ok %s\n' "$1"
	[ -n "${2-}" ] && printf '    %s\n' "$2"
	checks_failed=$((checks_failed + 1))
}

is() { # description expected actual
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "expected: $2 / actual: $3"; fi
}

contains() { # description needle text
	case "$3" in
	*"$2"*) ok "$1" ;;
	*) not_ok "$1" "wanted \"$2\" in: $3" ;;
	esac
}

runs() { # description exit-code command...
	local what=$1 want=$2 got=0 out
	shift 2
	out=$("$@" 2>&1) || got=$?
	if [ "$got" = "$want" ]; then ok "$what"; else not_ok "$what" "exit $got, wanted $want: $out"; fi
}

json() { # expression: reads JSON from standard input
	python3 -c 'import json,sys
d=json.load(sys.stdin)
print(eval(sys.argv[1], {}, {"d": d}))' "$1"
}

need_root() {
	[ "$(id -u)" = 0 ] || { echo "skipped: needs root"; exit 77; }
}

finish() { exit $((checks_failed > 0)); }
