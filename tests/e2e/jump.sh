# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# A clock that jumps for khiend alone, by skewed.so, and what khiend makes of it: the clock of the machine is never touched. Sourced after lab.sh and check.sh;
# jump_ready comes after lab_up.

jump_ready() {
	skew=$lab_dir/skew
	echo "0 64" >"$skew"
	lab_launcher=(env "LD_PRELOAD=$lab_build/tests/skewed.so" "SKEW=$skew")
}

skew_by() { # seconds more, and 64: not synchronised; 0: as a time server's daemon says it when it is
	local seconds
	read -r seconds _ <"$skew"
	echo "$((seconds + $1)) $2" >"$skew.new" && mv "$skew.new" "$skew"
}
jump() { skew_by "$1" 64; } # to and fro; it is not synchronised after that
sync_state() { skew_by 0 "$1"; }

problem() { khien status --json | json "[p['text'] for p in d['problems'] if 'clock' in p['text']]"; }
doubted() { [ "$(problem)" != "[]" ]; }
trusted() { ! doubted; }
