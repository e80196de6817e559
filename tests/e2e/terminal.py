#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A command at a terminal of its own (forkpty), as a person sits there:
#
#   terminal.py TYPED COMMAND...     types TYPED and Enter; "": nothing. Prints what is seen there; the exit code is the command's
import os
import pty
import sys

pid, master = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
if sys.argv[1]:
    os.write(master, sys.argv[1].encode() + b"\n")
while True:
    try:
        data = os.read(master, 65536)
    except OSError:  # EIO: the command has gone
        break
    if not data:
        break
    sys.stdout.buffer.write(data.replace(b"\r\n", b"\n"))
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) % 256)
