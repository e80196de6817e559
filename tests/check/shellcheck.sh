#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every script through shellcheck(1). A script is what begins with #! and a shell.
set -euo pipefail

scripts=()
while IFS= read -r file; do
	[[ $(head -c 80 "$file" | head -n 1 | tr -d "\0") =~ ^#!.*(bash|/sh) ]] && scripts+=("$file")
done < <(find .ci tests userspace bpf rules -type f -not -name '*.[cho]' 2>/dev/null | sort)
shellcheck --severity=warning --external-sources --source-path=SCRIPTDIR "${scripts[@]}"
echo "${#scripts[@]} scripts"
