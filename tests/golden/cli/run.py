#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# khien against a fake daemon: every screen in both languages as it is kept under expected/, and what a screen cannot show: what was asked
# of the daemon, JSON passed through, the question on a terminal, broken replies, hostile texts, exit codes.
#
#   run.py KHIEN [--update] [WORD...]     --update writes expected/ anew: look at the difference before it is committed
import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unicodedata

sys.dont_write_bytecode = True
here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)
from fake import Daemon, frame, run_on_terminal  # noqa: E402

khien = os.path.abspath(sys.argv[1])
update = "--update" in sys.argv
words = [word for word in sys.argv[2:] if word != "--update"]
failed = 0
checks = {}


def reply(name):
    with open(os.path.join(here, "replies", name + ".json")) as file:
        return json.load(file)


def answers(table):
    """Names of files under replies/, or answers as they are."""
    return {op: [reply(item) if isinstance(item, str) else item for item in answer] if isinstance(answer, list) else
            reply(answer) if isinstance(answer, str) else answer for op, answer in table.items()}


SESSION = "203.0.113.1 51234 192.0.2.129 22"  # in which khien is typed


def environment(**more):
    keep = {name: value for name, value in os.environ.items() if name in ("PATH", "KHIEN_LOCALEDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS")}
    return {**keep, "LANG": "C.UTF-8", "TERM": "dumb", "SSH_CONNECTION": SESSION, "KHIEN_NEVER_BLOCK": os.path.join(here, "never-block"), **more}


class Run:
    """One run of khien in a folder of its own, with or without a daemon."""

    def __init__(self, *arguments, table=None, lang="en", typed=None, stdin="", env=None, files=None, user=None, stdout=None, width=100):
        with tempfile.TemporaryDirectory(prefix="khien-cli.") as folder:
            os.chmod(folder, 0o755)
            path = os.path.join(folder, "control.sock")
            for name, text in (files or {}).items():
                with open(os.path.join(folder, name), "w") as file:
                    file.write(text)
            daemon = Daemon(path, answers(table)) if table is not None else None
            if daemon and user:
                os.chmod(path, 0o600)
            program = khien
            if user:  # the tree may lie where only its owner gets
                program = shutil.copy(khien, folder)
                os.chmod(program, 0o755)
            command = [program, *arguments, "--lang", lang]
            all_env = environment(KHIEN_SOCKET=path, KHIEN_BPFFS=os.path.join(folder, "bpf"), **(env or {}))
            before = os.getcwd()
            os.chdir(folder)
            if typed is not None:
                self.out, self.code = run_on_terminal(command, all_env, typed, width)
                self.err = ""
            else:
                done = subprocess.run(command, env=all_env, input=stdin.encode(), stdout=stdout or subprocess.PIPE, stderr=subprocess.PIPE,
                                      user=user, timeout=60)
                self.out, self.err, self.code = (done.stdout or b"").decode(), done.stderr.decode(), done.returncode
            os.chdir(before)
            self.requests = daemon.requests if daemon else []
            if daemon:
                daemon.close()
            self.out, self.err = (text.replace(folder, "/run/khien") for text in (self.out, self.err))

    def json(self):
        return json.loads(self.out)

    def screen(self):
        return f"{self.out}{'--- standard error ---' + chr(10) if self.err else ''}{self.err}--- exit {self.code} ---\n"


def result(name, good, why=""):
    global failed
    print(("ok " if good else "not ok ") + name)
    if not good:
        failed += 1
        print("".join("    " + line + "\n" for line in why.rstrip("\n").split("\n")), end="")


def check(function):
    checks[function.__name__] = function
    return function


def same(actual, expected, what="it"):
    if actual != expected:
        raise AssertionError(f"{what} is {actual!r}, not {expected!r}")


def has(text, part):
    if part not in text:
        raise AssertionError(f"wanted {part!r} in:\n{text}")


def lacks(text, part):
    if part in text:
        raise AssertionError(f"did not want {part!r} in:\n{text}")


def compare(name, lang, screen):
    path = os.path.join(here, "expected", f"{name}.{lang}.txt")
    if update:
        with open(path, "w") as file:
            file.write(screen)
    try:
        with open(path) as file:
            expected = file.read()
    except FileNotFoundError:
        expected = ""
    difference = "".join(difflib.unified_diff(expected.splitlines(True), screen.splitlines(True), path, "now"))
    result(f"screen {name} {lang}", not difference, difference)


def columns(text):
    return sum(0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def main():
    import cases  # the tables of screens and checks
    for name, (arguments, options) in cases.SCREENS.items():
        if words and not any(word in name for word in words):
            continue
        for lang in ("en", "vi"):
            compare(name, lang, Run(*arguments, lang=lang, **options).screen())
    for name, function in checks.items():
        if words and not any(word in name for word in words):
            continue
        try:
            function()
            result(name, True)
        except (AssertionError, ValueError, KeyError, IndexError) as error:
            result(name, False, f"{type(error).__name__}: {error}")
    kept = {file.rsplit(".", 2)[0] for file in os.listdir(os.path.join(here, "expected"))}
    result("every kept screen has its case", not kept - set(cases.SCREENS), str(kept - set(cases.SCREENS)))
    sys.exit(failed > 0)


if __name__ == "__main__":
    sys.modules["run"] = sys.modules["__main__"]
    main()
