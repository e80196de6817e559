#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# make corpus: real address lists from the file to the verdict, each alone, then all at once without the addresses of one country. tests/bpf/corpus.c reads
# and compiles them and compares the look-ups, in user space and in the programs, with the naive matcher; what the image then blocks must be
# the set that iprange (IPv4) and Python's ipaddress (IPv6) make of the same files. Without the lists it says so and is content.
#
#   CORPUS=DIR           the lists are in DIR/lists (../shared/corpus), one address or prefix a line, more columns and # comments allowed
#   KH_TEST_PROBES=N     addresses tried on each list (200000)
set -uo pipefail

cd "$(dirname "$0")/../.." || exit 1
B=${B:-build}
corpus=${CORPUS:-../shared/corpus}
shopt -s nullglob
files=("$corpus"/lists/*)
if ((${#files[@]} == 0)); then
	echo "left out: there are no lists in $corpus/lists"
	exit 0
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
command -v iprange > /dev/null || echo "left out: iprange (it is not installed); IPv4 is compared with Python too"
failed=0

plain() # FILE...: the first column, without comments
{
	sed 's/[#;].*//' "$@" | awk 'NF { print $1 }'
}

# What iprange makes of the IPv4 of two files, the second taken away, as first-last lines.
with_iprange() # FILE WITHOUT
{
	local except=()
	[[ -s $2.4 ]] && except=(--except "$2.4")
	if [[ -s $1.4 ]]; then iprange "$1.4" "${except[@]}" --print-ranges | sed '/-/!s/.*/&-&/'; fi
}

with_python() # VERSION FILE WITHOUT
{
	python3 - "$@" <<- 'PYTHON'
		import ipaddress, sys
		version, path, without = int(sys.argv[1]), sys.argv[2], sys.argv[3]
		def merged(name):
		    nets = [ipaddress.ip_network(line.strip()) for line in open(f"{name}.{version}")]
		    ranges = []
		    for net in sorted(nets):
		        first, last = int(net[0]), int(net[-1])
		        if ranges and first <= ranges[-1][1] + 1:
		            ranges[-1][1] = max(ranges[-1][1], last)
		        else:
		            ranges.append([first, last])
		    return ranges
		def subtract(ranges, holes):
		    at = 0
		    for first, last in ranges:
		        while at < len(holes) and holes[at][1] < first:
		            at += 1
		        for low, high in holes[at:]:
		            if low > last:
		                break
		            if low > first:
		                yield first, low - 1
		            first = max(first, high + 1)
		        if first <= last:
		            yield first, last
		kind = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
		for first, last in subtract(merged(path), merged(without)):
		    print(f"{kind(first)}-{kind(last)}")
	PYTHON
}

agree() # PROGRAM OURS THEIRS
{
	if cmp -s "$2" "$3"; then
		printf '    %-10s %s ranges, the same\n' "$1" "$(wc -l < "$3")"
	else
		echo "    $1: ANOTHER SET: $(diff "$2" "$3" | grep -c '^[<>]') lines differ, the first:"
		diff "$2" "$3" | head -n 5
		failed=1
	fi
}

try() # NAME OPTION... FILE...
{
	local name=$1 take=() allow=()
	shift
	printf '%s: ' "$name"
	if ! "$B/tests/corpus" "$work/ours" "$@" 2> "$work/error"; then
		echo "FAILED"
		head -n 20 "$work/error"
		failed=1
		return
	fi
	while (($#)); do
		if [[ $1 == --allow ]]; then
			allow+=("$2")
			shift
		else
			take+=("$1")
		fi
		shift
	done
	plain "${take[@]}" > "$work/all"
	grep : "$work/all" > "$work/take.6"
	grep -v : "$work/all" > "$work/take.4"
	plain "${allow[@]:-/dev/null}" > "$work/all"
	grep : "$work/all" > "$work/allow.6"
	grep -v : "$work/all" > "$work/allow.4"
	if command -v iprange > /dev/null; then
		with_iprange "$work/take" "$work/allow" > "$work/theirs.4"
		[[ -s $work/take.4 ]] && agree iprange "$work/ours.4" "$work/theirs.4"
	else
		with_python 4 "$work/take" "$work/allow" > "$work/theirs.4"
		[[ -s $work/take.4 ]] && agree Python "$work/ours.4" "$work/theirs.4"
	fi
	with_python 6 "$work/take" "$work/allow" > "$work/theirs.6"
	[[ -s $work/take.6 ]] && agree Python "$work/ours.6" "$work/theirs.6"
}

for file in "${files[@]}"; do
	try "$(basename "$file")" "$file"
done
country=() others=()
for file in "${files[@]}"; do
	if [[ $(basename "$file") == vn.* ]]; then country+=(--allow "$file"); else others+=("$file"); fi
done
((${#country[@]} && ${#others[@]})) && try "all of them, without one country" "${country[@]}" "${others[@]}"
((failed)) && echo "Some lists do not agree." && exit 1
echo "All lists agree."
