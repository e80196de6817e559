#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# make vm: tests/vm/run on one kernel of Debian's after another, one line a test; then a summary of each, and figures for make torture.
#
#   tests/vm/kernels.sh [WORD...]   only tests whose name contains one of the words
#   KERNELS="6.1 6.12 newest"       which
set -uo pipefail

here=$(dirname "$0")
passed=0 failed=0 tests=0
summaries=()
trap 'rm -f "$out"' EXIT
trap 'exit 130' INT TERM HUP
out=$(mktemp)
for name in ${KERNELS:-6.1 6.12 newest}; do
	code=0
	KERNEL=$name "$here/run" "$@" | tee "$out" || code=${PIPESTATUS[0]}
	case $code in
	0) passed=$((passed + 1)) ;;
	77) ;; # left out
	*) failed=$((failed + 1)) ;;
	esac
	tests=$((tests + $(grep -c '^ok ' "$out")))
	summaries+=("$name: $(sed -n 's/^Linux \(.*\)/\1, /p' "$out")$(tail -n 1 "$out")")
	# built once for all
	[[ $code != 77 && -z ${VM_BUILD:-} ]] && VM_BUILD=$(realpath -m "${B:-build}/vm/plain") && export VM_BUILD
done
printf '%s\n' "${summaries[@]}"
echo "figure kernels_passed $passed"
echo "figure kernel_tests_passed $tests"
((failed)) && exit 1
((passed)) || exit 77
