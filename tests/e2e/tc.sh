#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tc ingress gives the same verdicts and the same counts as native XDP.
LAB_MODE=tc exec "$(dirname "$0")/native.sh"
