#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# clang-tidy over user space, with the checks of .clang-tidy and the flags of the build.
set -euo pipefail

B=${B:-build}
read -ra packages < <(pkg-config --cflags libnl-3.0 libnl-route-3.0 libbpf libsystemd jansson smartcols libzip expat libxml-2.0 gmime-3.0 libidn2 libpsl | sed 's/-I/-isystem /g')
flags=(-std=gnu11 -D_GNU_SOURCE '-DKH_VERSION="0"' '-DKH_PREFIX=""' '-DKH_SYSCONFDIR=""' '-DKH_STATEDIR=""' -Iinclude -Iuserspace
	-isystem "$B/bpf" "${packages[@]}")
log=$(mktemp)
trap 'rm -f "$log"' EXIT

tidy() # FILE
{
	clang-tidy --quiet "$1" -- "${flags[@]}" 2>/dev/null || true
}

# Two halves at a time; output is gathered first, so that lines do not mix.
mapfile -t files < <(find userspace -name '*.c' | sort)
jobs=$(nproc)
for ((job = 0; job < jobs; job++)); do
	for ((i = job; i < ${#files[@]}; i += jobs)); do tidy "${files[i]}"; done > "$log.$job" &
done
wait
cat "$log".* > "$log"
rm -f "$log".*
if [[ -s $log ]]; then
	cat "$log"
	exit 1
fi
echo "${#files[@]} files"
