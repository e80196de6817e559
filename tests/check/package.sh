#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# make deb: the package holds both programs, marks the configuration, and needs no compiler at run time.
set -uo pipefail

B=${B:-build}
bad=0

complain()
{
	echo "$1"
	bad=1
}

package=$(make --no-print-directory -s CC=gcc B="$B" deb | tail -n 1)
[[ -e $package ]] || { echo "no package: $package"; exit 1; }
dpkg-deb --info "$package"
depends=$(dpkg-deb --field "$package" Depends)
grep -qE '(^|[ ,])(gcc|clang|llvm|make|bpftool|[a-z0-9.+-]+-dev)([ ,:(]|$)' <<< "$depends" && complain "a gateway has none of these: $depends"
for library in libbpf libsqlite3 libjansson libsystemd libnl-route; do
	grep -q "$library" <<< "$depends" || complain "Depends has no $library: $depends"
done
contents=$(dpkg-deb --contents "$package")
for path in ./usr/bin/khien ./usr/sbin/khiend ./usr/libexec/khien/khien-parse ./usr/libexec/khien/khien-parse-documents ./usr/libexec/khien/khien-fetch ./usr/libexec/khien/khien-refresh ./etc/khien/khien.conf ./lib/systemd/system/khiend.service ./lib/systemd/system/khien-refresh.socket ./lib/systemd/system/khien-refresh@.service ./usr/share/man/man8/khiend.8.gz; do
	grep -q " $path\$" <<< "$contents" || complain "$path is missing"
done
grep -vE '^[-d][rwx-]+ root/root ' <<< "$contents" && complain "not owned by root"
dpkg-deb --ctrl-tarfile "$package" | tar -xO ./conffiles | grep -qx /etc/khien/khien.conf || complain "khien.conf is not a conffile"
for script in postinst prerm postrm; do
	dpkg-deb --ctrl-tarfile "$package" | tar -xO "./$script" | sh -n || complain "$script is not a script"
done
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
dpkg-deb -x "$package" "$unpacked"
grep -q '^ExecStart=/usr/sbin/khiend ' "$unpacked/lib/systemd/system/khiend.service" || complain "the unit starts another khiend"
grep -q '^ExecStart=/usr/libexec/khien/khien-refresh$' "$unpacked/lib/systemd/system/khien-refresh@.service" || complain "the unit starts another khien-refresh"
strings -n 8 "$unpacked/usr/sbin/khiend" | grep -q '^/usr/local' && complain "khiend looks under /usr/local"
exit $bad
