#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# make install, install again, uninstall, in a folder of its own: everything is put in place, an administrator's changes survive.
set -uo pipefail

B=${B:-build}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
bad=0
make_it() { make --no-print-directory -s WERROR=1 CC=gcc B="$B" DESTDIR="$root" "$@" || { echo "make $* failed"; exit 1; }; }

complain()
{
	echo "$1"
	bad=1
}

make_it install
while read -r mode path; do
	[[ $(stat -c %a "$root$path" 2>&1) == "$mode" ]] || complain "$path: not there with mode $mode"
done <<-END
	755 /usr/local/bin/khien
	755 /usr/local/sbin/khiend
	755 /usr/local/libexec/khien/khien-fetch
	755 /usr/local/libexec/khien/khien-parse
	755 /usr/local/libexec/khien/khien-parse-documents
	755 /usr/local/libexec/khien/khien-refresh
	644 /etc/khien/khien.conf
	644 /etc/khien/never-block.d/special-purpose.list
	644 /etc/khien/issuers.d/10-trung-uong.list
	644 /usr/local/lib/systemd/system/khiend.service
	644 /usr/local/lib/systemd/system/khien-refresh.socket
	644 /usr/local/lib/systemd/system/khien-refresh@.service
	644 /usr/local/lib/sysusers.d/khien.conf
	644 /usr/local/share/man/man1/khien.1
	644 /usr/local/share/man/man8/khiend.8
	644 /usr/local/share/man/man5/khien.conf.5
	644 /usr/local/share/bash-completion/completions/khien
	644 /usr/local/share/locale/vi/LC_MESSAGES/khien.mo
END
grep -q '^ExecStart=/usr/local/sbin/khiend ' "$root/usr/local/lib/systemd/system/khiend.service" || complain "the unit starts another khiend"
grep -q '^ExecStart=/usr/local/libexec/khien/khien-refresh$' "$root/usr/local/lib/systemd/system/khien-refresh@.service" || complain "the unit starts another khien-refresh"
grep -rn '@[a-z]*@' "$root" --include='*.service' && complain "a path was not filled in"
diff -r rules/never-block.d "$root/etc/khien/never-block.d" || complain "the lists are not those of rules/"
diff -r rules/issuers.d "$root/etc/khien/issuers.d" || complain "the issuers are not those of rules/"

# A second time over an administrator's changes.
echo '# mine' >> "$root/etc/khien/khien.conf"
echo '# mine' >> "$root/etc/khien/never-block.d/resolvers.list"
echo '192.0.2.0/24' > "$root/etc/khien/never-block.d/office.list"
echo 'Sở Mẫu = SM' > "$root/etc/khien/issuers.d/50-tinh.list"
make_it install > /dev/null
tail -n 1 "$root/etc/khien/khien.conf" | grep -qx '# mine' || complain "install overwrote khien.conf"
[[ -e $root/etc/khien/khien.conf.new ]] || complain "the new khien.conf is not beside the changed one"
tail -n 1 "$root/etc/khien/never-block.d/resolvers.list" | grep -qx '# mine' || complain "install overwrote a list"

mkdir -p "$root/var/lib/khien" && touch "$root/var/lib/khien/ledger.db"
make_it uninstall > /dev/null
left=$(cd "$root" && find . -type f | sort | tr '\n' ' ')
expected='./etc/khien/issuers.d/50-tinh.list ./etc/khien/khien.conf ./etc/khien/never-block.d/office.list ./etc/khien/never-block.d/resolvers.list ./var/lib/khien/ledger.db '
[[ $left == "$expected" ]] || complain "uninstall should leave $expected, but left $left"
make_it uninstall PURGE=1 > /dev/null
left=$(cd "$root" && find . -type f | sort | tr '\n' ' ')
[[ -z $left ]] || complain "uninstall PURGE=1 should leave nothing, but left $left"
exit $bad
