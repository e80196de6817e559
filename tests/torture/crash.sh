#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The daemon ends by SIGKILL at each of its named crash points (common/crash.h), at several passings of each, in the middle of pushes, undos, confirmations,
# their being taken back, expiries, migrations of the ledger, upgrades of the packet programs, detaching, starts after a reboot and the very first one: crash.py,
# which says what must hold. One stream of listed and unlisted packets goes on through all of it that plays no reboot.
#
# QUICK=1: each point once; else CRASHES=N or more (500). SCENARIOS="push undo": only these.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/torture/part.lib
. "$here/part.lib"

KHIEN_LANG=en lab_up
coproc SERVE { exec nsenter --net="/run/netns/$lab_net" "$lab_build/tests/stream" serve 5000 203.0.113.7 203.0.113.200; }
lab_pids+=("$SERVE_PID")
read -rt 10 _ <&"${SERVE[0]}"
PYTHONPATH=$here nsenter --net="/run/netns/$lab_gw" python3 "$here/crash.py" --build "$lab_build" --lab "$lab_dir" --bpffs "$lab_bpffs" --net "$lab_net" --office "$lab_office" \
	--crashes "$([ -n "${QUICK:-}" ] && echo 0 || echo "${CRASHES:-500}")" --scenarios "${SCENARIOS:-}" &
lab_pids+=($!)
wait $!
is "after each crash the state before or the one after, enforced as ordered, the chain whole" 0 $?
finish
