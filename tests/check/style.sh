#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the house style says that a machine can see: licence lines, sizes, functions that hide errors.
# The guide is 400 lines a file and 60 a function; what fails here is a tenth above it (tests: twice).
#
#   style.sh [ROOT]
set -euo pipefail

cd "${1:-.}"
mapfile -t files < <(find Makefile bpf include userspace tests -type f \( -name '*.[ch]' -o -name '*.def' -o -name '*.sh' -o -name '*.in' \
	-o -name Makefile \) 2>/dev/null | sort)

awk '
function complain(text) { print FILENAME ":" FNR ": " text; bad = 1 }
function close_file() {
	if (!file)
		return
	if (!licence) { print file ": no SPDX line in its first three"; bad = 1 }
	if (lines > (file ~ /^tests\// ? 800 : 440) && file != "Makefile") { print file ": " lines " lines; the guide is 400: split it by what it does"; bad = 1 }
}
FNR == 1 { close_file(); file = FILENAME; licence = 0; start = 0; c = FILENAME ~ /\.[ch]$/; program = FILENAME ~ /^userspace\// && c }
{ lines = FNR }
FNR <= 3 && /SPDX-License-Identifier: GPL-2\.0-or-later/ { licence = 1 }
/(^|[^A-Z])((TO)DO|(FIX)ME|(X)XX)($|[^A-Z])/ { complain("unfinished work: do it, or file it") }
c && /^\{/ { start = FNR }
c && /^\}/ && start { if (FNR - start > 66 && file !~ /^tests\//) complain("a function of " FNR - start " lines; the guide is 60"); start = 0 }
program && file !~ /\/common\// && /(^|[^a-z_])(atoi|atol|atoll|atof|strto[a-z]+)\(/ { complain("kh_number_parse() says what is wrong (common/text.h)") }
program && /(^|[^a-z_])(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca)\(/ { complain("has no bound, or hidden state") }
program && /(^|[^a-z_])(open|openat)\(.*O_(RDONLY|WRONLY|RDWR|DIRECTORY)/ && !/O_CLOEXEC/ { complain("O_CLOEXEC at birth") }
program && /(^|[^a-z_])(socket|accept4)\(.*\)/ && !/CLOEXEC/ { complain("SOCK_CLOEXEC at birth") }
END { close_file(); exit bad }
' "${files[@]}"
