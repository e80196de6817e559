#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every message of the sources stands in every catalogue, translated, sure (not fuzzy) and with the same format directives.
# All of userspace/ is scanned, so that a source that `make po-update` does not know is found too.
#
#   translations.sh [TREE]
set -uo pipefail

cd "${1:-$(dirname "$0")/../..}" || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

find userspace -name '*.[ch]' | sort > "$work/sources"
xgettext --language=C --from-code=UTF-8 --keyword --keyword=_ --keyword=N_ --keyword=ngettext:1,2 --add-location=file \
	--files-from="$work/sources" -o "$work/all.pot" || exit 1
[[ -s $work/all.pot ]] || { echo "no source has a message: is this the tree?"; exit 1; }

list() # CATALOGUE WHAT MSGATTRIB-OPTION: names the messages it selects
{
	msgattrib "$3" --no-obsolete --no-wrap "$work/now.po" 2>/dev/null |
		awk -v head="$1: $2" '/^#: /{ where = substr($0, 4) } /^msgid /{ id = substr($0, 7); open = id == "\"\""; next }
			open && /^"/{ id = $0; open = 0; seen = 1 } /^msgstr/{ if (id != "\"\"") { print head ": " id " (" where ")"; n++ } id = "\"\""; open = 0 }
			END { exit n ? 1 : 0 }' || bad=1
}

found=0
for catalogue in userspace/po/*.po; do
	[[ -e $catalogue ]] || continue
	found=$((found + 1))
	msgfmt --check-format --check-domain -o /dev/null "$catalogue" || bad=1
	msgmerge --quiet --no-fuzzy-matching -o "$work/now.po" "$catalogue" "$work/all.pot" || { bad=1; continue; }
	list "$catalogue" "not translated" --untranslated
	list "$catalogue" "fuzzy" --only-fuzzy
done
((found)) || { echo "no catalogue in userspace/po"; bad=1; }
((bad)) && echo "→ make po-update, translate what is named, and run this again"
((bad)) || echo "$found catalogue(s), $(grep -c '^msgid ' "$work/all.pot") messages"
exit $bad
