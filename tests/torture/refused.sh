#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What khiend asks for is refused: each call into the kernel (bpf(2), mapping, threads) and each of the disk of a push, a block and an undo fails in its turn
# (faults.py, which says what must hold).
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/torture/part.lib
. "$here/part.lib"
# shellcheck source=tests/torture/faults.lib
. "$here/faults.lib"

faults_up
coarse=$([ -n "${QUICK:-}" ] && echo 7 || echo 1)
faults_run kernel "$coarse" ENOMEM
faults_run kernel "$((coarse * 3))" EPERM
faults_run disk "$coarse" EIO

runs "the chain holds" 0 khien history --verify
finish
