#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# No test is forgotten: every case stands in the group of its file, every file in the Makefile, every script can be started.
#
#   registered.sh [ROOT]
set -euo pipefail

cd "${1:-.}"
bad=0

complain()
{
	echo "$1: $2"
	bad=1
}

listed=$(make -s list-tests)
for file in tests/unit/test_*.c; do
	[[ -e $file ]] || continue
	name=$(basename "$file" .c)
	grep -qx "$name" <<< "$listed" || complain "$file" "not in UNIT_TESTS of the Makefile"
	# a case: static void name(void **state); it is used when its name stands anywhere else
	while IFS= read -r case; do
		(($(grep -cw "$case" "$file") > 1)) || complain "$file" "$case is in no group"
	done < <(sed -nE 's/^static void ([a-z0-9_]+)\(void \*\*.*/\1/p' "$file")
	grep -qE '^static void [a-z0-9_]+\(void \*\*' "$file" || complain "$file" "has no test"
done
while IFS= read -r name; do
	[[ -e tests/unit/$name.c ]] || complain Makefile "UNIT_TESTS has $name, but there is no tests/unit/$name.c"
done <<< "$listed"
# What is sourced by others has no #! line.
while IFS= read -r script; do
	[[ $(head -n 1 "$script") == '#!'* && ! -x $script ]] && complain "$script" "not executable"
done < <(find tests -name '*.sh' | sort)
exit $bad
