# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# A clock that jumps, and what khiend makes of it. In a guest it is the machine's own; elsewhere only khiend's, by skewed.so: the clock of the machine is
# never touched. Sourced after lab.sh and check.sh; jump_ready comes after lab_up.

is_guest() { [ -n "${KHIEN_VM:-}" ] && grep -q '^over / overlay' /proc/mounts && [ -e /run/vm-log/settings ]; }

jump_ready() {
	skew=$lab_dir/skew
	is_guest && return
	echo "0 64" >"$skew"
	lab_launcher=(env "LD_PRELOAD=$lab_build/tests/skewed.so" "SKEW=$skew")
}

jump() { # seconds: to and fro; it is not synchronised after that
	local seconds
	if is_guest; then
		date -s "@$(($(date +%s) + $1))" >/dev/null
	else
		read -r seconds _ <"$skew"
		echo "$((seconds + $1)) 64" >"$skew.new" && mv "$skew.new" "$skew"
	fi
}

sync_state() { # 64: not synchronised; 0: as a time server's daemon says it when it is
	local seconds
	if ! is_guest; then
		read -r seconds _ <"$skew"
		echo "$seconds $1" >"$skew.new" && mv "$skew.new" "$skew"
		return
	fi
	python3 - "$1" <<-'PYTHON'
		import ctypes, sys
		timex = (ctypes.c_long * 32)()
		ctypes.cast(timex, ctypes.POINTER(ctypes.c_uint))[0] = 0x0010 | 0x0004 | 0x0008  # ADJ_STATUS, ADJ_MAXERROR, ADJ_ESTERROR
		ctypes.cast(ctypes.byref(timex, 40), ctypes.POINTER(ctypes.c_int))[0] = int(sys.argv[1])
		sys.exit(ctypes.CDLL(None, use_errno=True).adjtimex(timex) < 0)
	PYTHON
}

problem() { khien status --json | json "[p['text'] for p in d['problems'] if 'clock' in p['text']]"; }
doubted() { [ "$(problem)" != "[]" ]; }
trusted() { ! doubted; }
