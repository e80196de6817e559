#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# cppcheck over user space. Left out: leaks and uninitialised variables, since it does not know cleanup
# attributes nor what a callee fills; ASan, UBSan and the compilers look at those.
set -euo pipefail

B=${B:-build}
mkdir -p "$B/cppcheck"
# shellcheck disable=SC2046
cppcheck --quiet --std=c11 --language=c --enable=warning,performance,portability --inline-suppr --error-exitcode=1 -j "$(nproc)" \
	--cppcheck-build-dir="$B/cppcheck" --suppress=missingIncludeSystem --suppress=memleak --suppress=uninitvar --suppress=unknownMacro --suppress=preprocessorErrorDirective \
	-D_GNU_SOURCE -DKH_VERSION='""' -DKH_PREFIX='""' -DKH_SYSCONFDIR='""' -DKH_STATEDIR='""' \
	-D'__attribute__(x)=' -Iinclude -Iuserspace userspace
