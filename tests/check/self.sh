#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The checks themselves: each must find what is planted in a small tree, and nothing in a clean one.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
bad=0

plant() # PATH: content on standard input
{
	mkdir -p "$tree/$(dirname "$1")"
	cat > "$tree/$1"
}

clean()
{
	rm -rf "${tree:?}"/*
	plant include/khien/abi.h <<< $'// SPDX-License-Identifier: GPL-2.0-or-later\n#include <linux/types.h>'
	plant userspace/reader/reader.c <<< $'// SPDX-License-Identifier: GPL-2.0-or-later\n#include "model/document.h"'
	plant tests/unit/test_x.c <<< $'// SPDX-License-Identifier: GPL-2.0-or-later\nstatic void test_a(void **state)\n{\n}\nunit(test_a)'
	plant Makefile <<< $'# SPDX-License-Identifier: GPL-2.0-or-later\nlist-tests:\n\t@echo test_x'
}

passes() # CHECK
{
	local out
	if ! out=$("$here/$1.sh" "$tree" 2>&1); then
		echo "$1 complains about a clean tree: $out"
		bad=1
	fi
}

finds() # CHECK WHAT
{
	local out
	if out=$("$here/$1.sh" "$tree" 2>&1); then
		echo "$1 does not see: $2"
		bad=1
	elif [[ $out != *"$2"* ]]; then
		echo "$1 should say \"$2\": $out"
		bad=1
	fi
	clean
}

licence='// SPDX-License-Identifier: GPL-2.0-or-later'
clean
for check in layers style registered; do passes "$check"; done

plant userspace/reader/reader.c <<< "$licence"$'\n#include "guard/guard.h"'
finds layers 'reader may include only'
plant userspace/common/util.c <<< "$licence"$'\n#  include "model/document.h"'
finds layers 'common may include only'
plant userspace/guard/guard.c <<< "$licence"$'\n#include <sqlite3.h>'
finds layers '<sqlite3.h> belongs to ledger'
plant userspace/cli/list.c <<< "$licence"$'\n#include <bpf/libbpf.h>'
finds layers '<bpf/libbpf.h> belongs to kernel'
plant userspace/other/x.c <<< "$licence"
finds layers 'a module that'
plant include/khien/abi.h <<< "$licence"$'\n#include <stdint.h>'
finds layers 'only <linux/types.h>'
plant bpf/x.h <<< "$licence"$'\n#include "common/util.h"'
finds layers 'bpf/ includes its own headers'

plant userspace/reader/x.c <<< 'int x;'
finds style 'no SPDX line'
plant userspace/reader/x.c < <(echo "$licence"; seq -f '/* %g */' 450)
finds style 'split it by what it does'
plant userspace/reader/x.c < <(echo "$licence"; echo 'void x(void)'; echo '{'; seq -f '/* %g */' 70; echo '}')
finds style 'the guide is 60'
plant userspace/cli/x.c <<< "$licence"$'\nint x = atoi("1");'
finds style 'kh_number_parse'
plant userspace/cli/x.c <<< "$licence"$'\nsprintf(a, b);'
finds style 'has no bound'
plant userspace/cli/x.c <<< "$licence"$'\nfd = open(path, O_RDONLY);'
finds style 'O_CLOEXEC at birth'
plant userspace/cli/x.c <<< "$licence"$'\nfd = socket(AF_UNIX, SOCK_STREAM, 0);'
finds style 'SOCK_CLOEXEC at birth'
plant userspace/cli/x.c <<< "$licence"$'\n/* FIX''ME */'
finds style 'unfinished work'

plant tests/unit/test_x.c <<< "$licence"$'\nstatic void test_a(void **state)\nunit(test_a)\nstatic void test_b(void **state)'
finds registered 'test_b is in no group'
plant tests/unit/test_y.c <<< "$licence"$'\nstatic void test_a(void **state)\nunit(test_a)'
finds registered 'not in UNIT_TESTS'
rm "$tree/tests/unit/test_x.c"
finds registered 'there is no tests/unit/test_x.c'
plant tests/unit/test_x.c <<< "$licence"
finds registered 'has no test'
plant tests/e2e/x.sh <<< '#!/usr/bin/env bash'
finds registered 'not executable'
exit $bad
