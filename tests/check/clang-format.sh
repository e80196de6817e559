#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Are the C sources in the house style (.clang-format)? With --apply: make them so.
set -euo pipefail

mapfile -t files < <(find bpf include userspace tests -name '*.[ch]' | sort)
if [[ ${1:-} == --apply ]]; then
	exec clang-format -i "${files[@]}"
fi
bad=0
for file in "${files[@]}"; do
	if ! clang-format "$file" | diff -u --label "$file" --label "$file (make format)" "$file" -; then
		bad=1
	fi
done
exit $bad
