#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A part of make torture: everything that depends on the kernel, on Debian's kernels under QEMU. QUICK=1: the packet tests on 6.1, the floor.
set -uo pipefail

cd "$(dirname "$0")/../.." || exit 1
if [[ ${QUICK:-} ]]; then
	KERNELS=6.1 exec tests/vm/kernels.sh vm/load bpf/frames bpf/verdicts bpf/attach
fi
exec tests/vm/kernels.sh
