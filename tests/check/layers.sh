#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The dependency order, read off the #include lines: siblings never include each other, and a library belongs to one module.
# Then, where a build is given, that the pure modules call nothing that touches the world, and that khien-parse loads no library it could do without.
#
#   layers.sh [ROOT [BUILD]]
set -euo pipefail

root=${1:-.} build=${2:-}
cd "$root"

# module: the folders of userspace/, and the headers of include/, that it may include besides its own
declare -A may=(
	[common]=""
	[sandbox]="common"
	[model]="common"
	[reader]="model common"
	[intake]="sandbox model common"
	[parse]="reader model common"
	[fetch]="model common"
	[refresh]="intake sandbox model common"
	[guard]="model common"
	[compile]="model common khien/abi.h khien/hash.h"
	[ledger]="model common khien/abi.h khien/reasons.def"
	[kernel]="model common khien/abi.h khien/reasons.def khien.skel.h"
	[netlink]="model common"
	[daemon]="reader guard ledger compile kernel netlink model common khien/abi.h khien/reasons.def khien/proto.h"
	[cli]="intake reader guard model common khien/proto.h"
)
# a library's headers, as a prefix: the modules that may include them
declare -A owner=(
	[bpf/]="kernel"
	[linux/bpf]="kernel"
	[linux/if_link]="kernel netlink"
	[sqlite3.h]="ledger"
	[libmnl/]="netlink"
	[netlink/]="netlink"
	[systemd/]="daemon"
	[jansson.h]="reader guard fetch daemon cli"
	[ini.h]="daemon"
	[seccomp.h]="sandbox"
	[libsmartcols]="cli"
	[curl/]="fetch"
	[zip.h]="reader"
	[expat.h]="reader"
	[libxml/]="reader"
	[gmime/]="reader"
	[idn2.h]="reader"
	[libpsl.h]="reader"
)
bad=0

complain()
{
	echo "$1: $2"
	bad=1
}

includes() # FILE: lines "NUMBER KIND NAME", KIND is < or "
{
	sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*([<"])([^>"]+)[>"].*/\1 \2/p' "$1"
}

allowed_project() # MODULE NAME
{
	local part
	for part in $1 ${may[$1]}; do
		[[ $2 == "$part" || $2 == "$part"/* ]] && return 0
	done
	return 1
}

check_system() # FILE MODULE NAME
{
	local prefix
	for prefix in "${!owner[@]}"; do
		# userspace/netlink/ is ours and comes in quotes; <netlink/...> is the library
		[[ $3 == "$prefix"* && " ${owner[$prefix]} " != *" $2 "* ]] &&
			complain "$1" "<$3> belongs to ${owner[$prefix]}, not to $2"
	done
	return 0
}

for module_path in userspace/*/; do
	module=$(basename "$module_path")
	files=$(find "$module_path" -name '*.[ch]' | sort)
	[[ -z $files ]] && continue
	if [[ -z ${may[$module]+known} ]]; then
		complain "$module_path" "a module that tests/check/layers.sh does not know: say what it may include"
		continue
	fi
	for file in $files; do
		while read -r kind name; do
			if [[ $kind == "<" ]]; then
				check_system "$file" "$module" "$name"
			elif ! allowed_project "$module" "$name"; then
				complain "$file" "\"$name\": $module may include only: $module ${may[$module]}"
			fi
		done < <(includes "$file")
	done
done

# Packet programs: their own headers and the ABI. The ABI: nothing but types.
while IFS= read -r file; do
	while read -r kind name; do
		[[ $kind == "<" || $name == khien/abi.h || $name == khien/hash.h || $name == khien/reasons.def || -e bpf/$name ]] ||
			complain "$file" "\"$name\": bpf/ includes its own headers, khien/abi.h and khien/hash.h"
	done < <(includes "$file")
done < <(find bpf -name '*.[ch]' 2>/dev/null | sort)
if [[ -e include/khien/abi.h ]]; then
	while read -r kind name; do
		[[ $name == linux/types.h || $name == khien/reasons.def ]] ||
			complain include/khien/abi.h "$name: only <linux/types.h> and khien/reasons.def"
	done < <(includes include/khien/abi.h)
fi

# Pure: bytes in, structs out. What they call is in the symbol table.
impure='open|open64|openat|openat64|fopen|fopen64|creat|popen|system|fork|vfork|execve?p?|posix_spawnp?|socket|connect|bind|read|pread|pread64|write|pwrite64|ioctl|syscall|time|gettimeofday|clock_gettime|getenv|setenv|rand|random|getrandom|getaddrinfo'
if [[ -n $build ]]; then
	for module in reader guard compile; do
		[[ -e $build/$module.a ]] || { complain "$build/$module.a" "not built"; continue; }
		found=$(nm -u "$build/$module.a" | sed -nE "s/^ +U ($impure)(@.*)?\$/\1/p" | sort -u | tr '\n' ' ')
		[[ -z $found ]] || complain "$build/$module.a" "not pure: calls $found"
	done
	for library in $(readelf -d "$build/khien-parse" | sed -n 's/.*(NEEDED).*\[\(.*\)\.so.*/\1/p'); do
		[[ " libjansson libexpat libidn2 libpsl libc " == *" $library "* ]] ||
			complain "$build/khien-parse" "loads $library: what needs that is read by khien-parse-documents"
	done
fi
exit $bad
