# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What a guest is made of, from Debian's packages: kernels with their modules, and the tools of the tests that a build machine need not have. Sourced by
# tests/vm/run. apt gets lists and folders of its own and the mirrors of the machine: what the machine itself has is not touched.
#
#   vm_kernel NAME FOLDER     FOLDER/vmlinuz and FOLDER/modules/VERSION; what was fetched before stays
#   vm_tools FOLDER           FOLDER/files, to be laid over the root of a machine of this release

tools=(ppp pppoe wireguard-tools libpcap0.8 ethtool iputils-ping conntrack libnetfilter-conntrack3 libnfnetlink0 xdp-tools libxdp1 libbpf1 libelf1)

# A kernel's name: the suites that have it, and the package that always depends on the latest of its series.
kernel_of() # NAME
{
	case $1 in
	6.1) echo "bookworm bookworm-security linux-image-amd64" ;;
	6.12) echo "bookworm bookworm-security linux-image-6.12-amd64" ;;
	newest) echo "trixie-backports linux-image-amd64" ;;
	*) return 1 ;;
	esac
}

private_apt() # FOLDER SUITE...
{
	local folder=$1 mirror label suite key=/usr/share/keyrings/debian-archive-keyring.gpg
	shift
	mkdir -p "$folder"/apt/{lists,archives,parts}
	: > "$folder/apt/status"
	while read -r mirror label; do
		for suite in "$@"; do
			case $label/$suite in
			Debian-Security/*-security) echo "deb [signed-by=$key] $mirror $suite main" ;;
			*-security) ;;
			Debian/*) echo "deb [signed-by=$key] $mirror $suite main" ;;
			esac
		done
	done < <(apt-get indextargets --format "\$(REPO_URI) \$(LABEL)" 'Created-By: Packages' | sort -u) > "$folder/apt/sources.list"
	apt=(-q -o "Dir::Etc::SourceList=$folder/apt/sources.list" -o "Dir::Etc::SourceParts=$folder/apt/parts" -o "Dir::State::Lists=$folder/apt/lists"
		-o "Dir::State::Status=$folder/apt/status" -o "Dir::Cache=$folder/apt" -o APT::Sandbox::User=root)
	[[ -s $folder/apt/sources.list ]] && apt-get "${apt[@]}" update
}

unpack() # FOLDER PACKAGE...: into FOLDER/files
{
	local folder=$1 name
	shift
	(cd "$folder/apt/archives" && apt-get "${apt[@]}" download "$@") || return 1
	for name in "$folder"/apt/archives/*.deb; do
		dpkg -x "$name" "$folder/files" || return 1
	done
	# laid over the root of the machine, a folder lib would hide the link of that name
	mkdir -p "$folder/files/usr"
	for name in lib sbin bin; do
		[[ -d $folder/files/$name ]] || continue
		cp -a "$folder/files/$name" "$folder/files/usr/" && rm -r "${folder:?}/files/$name"
	done
	rm -r "$folder/apt"
}

# From a package that depends on the latest to those that hold it: an image, from Linux 6.19 on split in binary and modules.
parts_of() # PACKAGE
{
	local wanted=("$1") name
	while ((${#wanted[@]})); do
		name=${wanted[0]}
		[[ $1 == "$name" ]] || echo "$name"
		mapfile -t -O "${#wanted[@]}" wanted < <(apt-cache "${apt[@]}" depends "$name" | sed -nE 's/^ *Depends: (linux-(image|binary|modules)-[0-9].*)/\1/p')
		wanted=("${wanted[@]:1}")
	done
}

vm_kernel() # NAME FOLDER
{
	local folder=$2 suites package parts
	[[ -e $folder/vmlinuz ]] && return 0
	read -ra suites < <(kernel_of "$1") || return 1
	package=${suites[-1]}
	unset "suites[-1]"
	rm -rf "$folder"
	private_apt "$folder" "${suites[@]}" || return 1
	mapfile -t parts < <(parts_of "$package")
	((${#parts[@]})) || return 1
	unpack "$folder" "${parts[@]}" && mv "$folder/files/usr/lib/modules" "$folder/modules" || return 1
	# beside the modules from Linux 7 on, in /boot before
	mv "$(find "$folder/files/boot" "$folder/modules" -maxdepth 2 -name 'vmlinuz*' 2> /dev/null | head -n 1)" "$folder/vmlinuz" && rm -r "$folder/files"
}

vm_tools() # FOLDER
{
	local folder=$1 release
	[[ $(cat "$folder/packages" 2> /dev/null) == "${tools[*]}" ]] && return 0
	# shellcheck source=/dev/null
	release=$(. /etc/os-release && echo "$VERSION_CODENAME")
	rm -rf "$folder"
	private_apt "$folder" "$release" "$release-security" && unpack "$folder" "${tools[@]}" && echo "${tools[*]}" > "$folder/packages"
}
