#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Builds khien_VERSION_ARCH.deb under build/. debian/ is written here and not kept in the tree. What the package needs at run time is
# read off the binaries by dpkg-shlibdeps: a gateway gets libraries and no compiler.
set -euo pipefail

version=$1 build=$2
root=$build/deb/khien
name=khien_${version}_$(dpkg --print-architecture).deb

rm -rf "$build/deb"
mkdir -p "$root/DEBIAN" "$build/deb/debian"

# A build of its own: paths are compiled in, and a package lives under /usr.
make --no-print-directory -j "$(nproc)" B="$build/deb/build" PREFIX=/usr SYSCONFDIR=/etc LOCALSTATEDIR=/var/lib CFLAGS="-O2 -g -D_FORTIFY_SOURCE=2 -fPIE" \
	LDFLAGS="-pie -Wl,-z,relro,-z,now" DESTDIR="$root" UNITDIR=/lib/systemd/system install
strip --strip-unneeded "$root/usr/bin/khien" "$root/usr/sbin/khiend" "$root"/usr/libexec/khien/khien-*
find "$root/usr/share/man" -type f -name '*.[0-9]' -exec gzip -9n {} +

doc=$root/usr/share/doc/khien
mkdir -p "$doc"
cat > "$doc/copyright" <<'END'
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: khien

Files: *
Copyright: the Khiên authors
License: GPL-2.0-or-later
 On Debian systems the text of the GNU General Public License, version 2, is in /usr/share/common-licenses/GPL-2.
END
printf 'khien (%s) unstable; urgency=medium\n\n  * See the history of the source.\n\n -- Khiên authors <khien@localhost>  %s\n' "$version" \
	"$(date -R -d "@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}")" | gzip -9n > "$doc/changelog.gz"

# dpkg-shlibdeps wants a debian/control beside it.
printf 'Source: khien\n\nPackage: khien\nArchitecture: any\n' > "$build/deb/debian/control"
libraries=$(cd "$build/deb" && dpkg-shlibdeps -O khien/usr/bin/khien khien/usr/sbin/khiend khien/usr/libexec/khien/khien-*)
libraries=${libraries#shlibs:Depends=}

cat > "$root/DEBIAN/control" <<END
Package: khien
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: Khiên authors <khien@localhost>
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Depends: $libraries, passwd
Recommends: systemd, man-db, ca-certificates, poppler-utils
Suggests: bash-completion, libxdp1, tesseract-ocr, tesseract-ocr-vie
Section: net
Priority: optional
Description: drops traffic to and from the indicators of advisories, by XDP
 Khiên (shield) sits beside the firewall of a Linux gateway. A daemon and a command line load addresses out of ministry
 advisories, drop them before the network stack sees them, and show what was dropped, for which machine, and on
 whose order.
END

(cd "$root" && find etc -type f -printf '/%p\n' | sort) > "$root/DEBIAN/conffiles"

cat > "$root/DEBIAN/postinst" <<'END'
#!/bin/sh
set -e
if [ "$1" = configure ]; then
	groupadd --system --force khien
	groupadd --system --force khien-admin
	if [ -d /run/systemd/system ]; then
		systemctl daemon-reload
		# An upgrade: the new daemon adopts what the old one left attached, without a gap.
		systemctl try-restart khiend.service || echo "khien: khiend did not come back: journalctl -u khiend" >&2
	fi
	if [ -z "$2" ]; then
		echo "khien: set wan and lan in /etc/khien/khien.conf, then: khiend --check && systemctl enable --now khiend"
	fi
fi
END
cat > "$root/DEBIAN/prerm" <<'END'
#!/bin/sh
set -e
if [ "$1" = remove ]; then
	if [ -d /run/systemd/system ]; then
		systemctl disable --now khiend.service khien-refresh.socket || true
	fi
	# Without the daemon no one could take the programs off again.
	if [ -d /sys/fs/bpf/khien ]; then
		khiend --detach || true
	fi
fi
END
cat > "$root/DEBIAN/postrm" <<'END'
#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
if [ "$1" = purge ] && [ -e /var/lib/khien ]; then
	echo "khien: the ledger stays in /var/lib/khien: it is the office's record. Remove it by hand when it is no longer needed."
fi
END
chmod 0755 "$root"/DEBIAN/{postinst,prerm,postrm}
find "$root" -type d -exec chmod 0755 {} +
(cd "$root" && find usr lib -type f -exec md5sum {} +) > "$root/DEBIAN/md5sums"

dpkg-deb --root-owner-group --build "$root" "$build/$name" >/dev/null
echo "$build/$name"
