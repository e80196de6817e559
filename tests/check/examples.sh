#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What ships must load: every sample advisory, the manual pages, the completion, the unit. (The configuration and the never-block
# lists are loaded by unit/config and unit/rules.)
set -uo pipefail

B=${B:-build}
bad=0

complain()
{
	echo "$1"
	bad=1
}

for file in rules/advisories/*; do
	code=0
	out=$("$B/khien" read --json "$file") || code=$?
	[[ $code == 0 || $code == 3 ]] || complain "$file: exit $code: $out"
	jq -e '.documents | length == 1' <<< "$out" > /dev/null || complain "$file: not read as one document: $out"
done
for page in "$B"/man/*; do
	grep -q '^\.TH' "$page" || complain "$page: not a manual page"
	out=$(groff -Kutf8 -man -Tutf8 -ww "$page" 2>&1 > /dev/null) || true
	[[ -z $out ]] || complain "$page: $out"
done
bash -n userspace/completion/khien || complain "the completion is not bash"
for option in $("$B/khiend" --help | grep -oE '^  --[a-z-]+'); do
	grep -q -- "\*$option\*" userspace/man/khiend.8.scd || complain "khiend.8 does not tell about $option"
done
if command -v systemd-analyze > /dev/null; then
	units=$(mktemp -d)
	for unit in khiend.service khien-refresh@.service; do
		sed -e 's,@sbindir@/khiend,/bin/true,; s,@libexecdir@/khien-refresh,/bin/true,; s,@[a-z]*@,/etc,' "userspace/systemd/$unit.in" > "$units/$unit"
	done
	cp userspace/systemd/khien-refresh.socket "$units"
	out=$(cd "$units" && systemd-analyze verify --man=no ./khiend.service ./khien-refresh.socket ./khien-refresh@1.service 2>&1)
	rm -r "$units"
	[[ -z $out ]] || complain "the units: $out"
fi
exit $bad
