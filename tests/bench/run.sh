#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# make bench: everything bench.h describes, one after the other, then the table, build/bench.json, build/bench.svg and build/bench.md. As root; alone on the
# machine, or the figures are worth little. Fails when a contender gives a wrong verdict, not when a target is missed.
#
#   QUICK=1 tests/bench/run.sh     under three minutes: fewer lists, fewer emergency pushes, live traffic at 1 M only
#   CORPUS=DIR                     real lists, one address or prefix a line, used where they are (../shared/corpus/lists)
set -uo pipefail

cd "$(dirname "$0")/../.." || exit 1
B=$(realpath -m "${B:-build}")
quick=${QUICK:-}
corpus=${CORPUS:-../shared/corpus/lists}
rows=$B/bench.rows
failed=0 child=
export BUILD=$B
unset LANGUAGE LC_ALL
export LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1

[ "$(id -u)" = 0 ] || { echo "make bench needs root: it loads packet programs and makes network namespaces" >&2; exit 1; }
# The namespaces end with the programs that made them, and those with us.
stop() {
	[ -n "$child" ] && kill -TERM "$child" 2>/dev/null && wait "$child"
	exit 130
}
trap stop INT TERM HUP

step() # TITLE LIMIT COMMAND...
{
	local title=$1 limit=$2 code=0 start=$SECONDS
	shift 2
	printf '\n-- %s\n' "$title"
	timeout --kill-after=15 "$limit" "$@" </dev/null &
	child=$!
	wait "$child" || code=$?
	child=
	case $code in
	0) echo "   ($((SECONDS - start)) s)" ;;
	77) echo "left out: $title" ;;
	124 | 137) echo "FAILED: $title: not finished in $limit s"; failed=1 ;;
	*) echo "FAILED: $title"; failed=1 ;;
	esac
}

mkdir -p "$B"
rm -f "$rows" "$B"/bench.{json,svg,md}
if [ -n "$quick" ]; then
	rounds=5 emergencies=10 swaps=50
	lists=(random:10000 random:100000 random:1000000 clustered:100000 random6:100000)
	loads=(random:10000 random:100000 random:1000000)
	live=(random:1000000)
	pushes=(1000000)
	through=()
else
	rounds=9 emergencies=100 swaps=1000
	lists=(random:1000 random:10000 random:100000 random:1000000 random:4000000 clustered:10000 clustered:100000 clustered:1000000
		nested:100000 nested:1000000 holes:100000 holes:1000000 second:100000 second:1000000 random6:10000 random6:100000 random6:1000000)
	for name in ipsum.txt x4b-datacenter-ipv4-42k-cidr.txt cn.ipv4.cidr cn.ipv6.cidr x4b-datacenter-ipv6-8k-cidr.txt bitwire-inbound-ipv6.txt; do
		[ -r "$corpus/$name" ] && lists+=("$corpus/$name")
	done
	[ -d "$corpus" ] || echo "left out: real lists (there is no $corpus)"
	loads=(random:1000 random:10000 random:100000 random:1000000 random:4000000 clustered:1000000 random6:100000)
	live=(random:10000 random:100000 random:1000000)
	pushes=(10000 100000 1000000)
	through=(--through)
fi

step "one look-up" 1200 "$B/tests/bench-lookup" --rounds "$rounds" --json "$rows" --sighting --hot "${lists[@]}"
step "compile and install" 600 "$B/tests/bench-load" --rounds "$rounds" --json "$rows" "${loads[@]}"
step "live traffic, one core" 1200 "$B/tests/bench-live" --rounds "$rounds" --json "$rows" "${through[@]}" "${live[@]}"
step "generations swapped under live load" 300 "$B/tests/bench-swaps" --swaps "$swaps" --json "$rows"
for entries in "${pushes[@]}"; do
	((entries == 1000000)) && some=$emergencies || some=5
	step "a push of $entries lines through khiend, $some emergencies onto it" 900 tests/bench/push.sh "$entries" "$some" "$rows"
done
printf '\n'
python3 tests/bench/report.py "$rows" "$B/bench.json" "$B/bench.svg" "$B/bench.md" || failed=1
exit $failed
