# SPDX-License-Identifier: GPL-2.0-or-later
#
# The cases of run.py: screens kept in both languages, then checks of what a screen cannot show.
import json
import os
import re
import shutil
import struct
import subprocess
import tempfile

from run import SESSION, Run, check, columns, environment, has, here, khien, lacks, reply, same

LETTER = {"cv.txt": "Số: 123/CATTT-NCSC\n", "phuluc.txt": "203.0.113.7\n"}
BLANK = {"mo.txt": "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nSố:    /\nKính gửi: Các đơn vị\nPHỤ LỤC\n203.0.113.7\n"}
GRADED = {"lo-hong.txt": "Số: 315/CATTT-MAU\nKính gửi: Các đơn vị\nVá CVE-2026-10001 (CVSS: 9.8, Nghiêm trọng), CVE-2026-10002 (Cao) và CVE-2026-10003.\n"}
LIST = {"danh-sach.txt": "203.0.113.7\n10.1.2.3/8\n1.2.3.4.5\n8.8.8.8 # máy chủ\nxau.example\n"}
WAITING = {"change": 17, "until": "2023-01-21T22:52:10+07:00"}
PLAN = {"push": ["plan", "done"]}
CUTTING = {**reply("plan"), "impact": reply("impact")}
LOCKING = {**reply("plan"), "impact": {**reply("impact"), "session": True, "management": 2, "known": 0}}
SPARING = {**reply("plan"), "impact": {"flows": 0, "machines": 0, "management": 0, "session": False, "list": [], "omitted": 0, "tracked": 40,
                                       "spared": {"management": 1, "session": True}, "known": 0, "known_by": []}}
BLIND = {**reply("plan"), "impact": None, "notes": ["this kernel keeps no table of connections"]}
UNTRACKED = {**SPARING, "impact": {**SPARING["impact"], "tracked": 0, "spared": {"management": 0, "session": False}}}
ROOT = os.path.normpath(os.path.join(here, "..", "..", ".."))


def screen(*arguments, **options):
    return (arguments, options)


SCREENS = {
    "help": screen("--help"),
    "help-push": screen("push", "--help"),
    "help-history": screen("history", "--help"),
    "no-command": screen(),
    "unknown-command": screen("psuh"),
    "unknown-option": screen("stats", "--bz"),
    "bad-duration": screen("extend", "203.0.113.7", "--ttl", "soon"),
    "missing-note": screen("allow", "203.0.113.7"),
    "status": screen("status", table={"status": "status", "stats": "callers"}),
    "status-plain": screen("status", table={"status": "status-plain", "stats": "no-rows"}),
    "no-daemon": screen("status"),
    "push-dry-run": screen("push", "cv.txt", "phuluc.txt", "--dry-run", table={"push": "plan"}, files=LETTER),
    "push-yes": screen("push", "cv.txt", "phuluc.txt", "--yes", table={"push": "done"}, files=LETTER),
    "push-monitor": screen("push", "cv.txt", "--yes", "--monitor", table={"push": "done-monitor"}, files=LETTER),
    "push-not-proved": screen("push", "cv.txt", "--yes", table={"push": "done-badly"}, files=LETTER),
    "push-none": screen("push", "cv.txt", table={"push": ["plan-none", {**reply("plan-none"), "token": None}]}, files=LETTER),
    "push-again": screen("push", "cv.txt", table={"push": ["plan-unchanged", "plan-unchanged"]}, files=LETTER),
    "push-no-terminal": screen("push", "cv.txt", table=PLAN, files=LETTER),
    "push-question": screen("push", "cv.txt", table=PLAN, files=LETTER, typed=[b"c"]),
    "push-view": screen("push", "cv.txt", table=PLAN, files=LETTER, typed=[b"x", b""]),
    "push-number-unread": screen("push", "mo.txt", "--yes", table=PLAN, files=BLANK),
    "push-number-asked": screen("push", "mo.txt", table=PLAN, files=BLANK, typed=[b"", b"12/SM", b"c"]),
    "push-bad-date": screen("push", "cv.txt", "--date", "31/2/2023", files=LETTER),
    "push-missing-file": screen("push", "cv.txt", "thieu.txt", table=PLAN, files=LETTER),
    "push-cuts": screen("push", "cv.txt", table={"push": [CUTTING, "done"], "cut": {"exit": 0, "cut": 12}}, files=LETTER, typed=[b"c"]),
    "push-locks-out": screen("push", "cv.txt", "--dry-run", table={"push": LOCKING}, files=LETTER,
                             env={"SSH_CONNECTION": "198.51.100.9 50122 192.0.2.129 22"}),
    "push-spares": screen("push", "cv.txt", "--dry-run", table={"push": SPARING}, files=LETTER),
    "push-blind": screen("push", "cv.txt", "--dry-run", table={"push": BLIND}, files=LETTER),
    "push-untracked": screen("push", "cv.txt", "--dry-run", table={"push": UNTRACKED}, files=LETTER),
    "block-waits": screen("block", "198.51.0.0/16", table={"block": ["plan-waiting", "done-waiting"]}),
    "why-value": screen("why", "203.0.113.7", table={"why": "why-value"}),
    "why-free": screen("why", "203.0.113.200", table={"why": "why-free"}),
    "why-machine": screen("why", "192.0.2.57", table={"why": ["why-machine", "why-value", "why-free"]}),
    "why-quiet": screen("why", "00:00:5e:00:53:01", table={"why": "why-quiet"}),
    "list": screen("list", table={"list": ["list", "list-rest"]}),
    "review": screen("review", table={"review": "review"}),
    "show": screen("show", "298", table={"show": "show"}),
    "show-ambiguous": screen("show", "12", table={"show": "error"}),
    "stats-host": screen("stats", "--by", "host", "--since", "1h", table={"stats": "callers"}),
    "stats-nothing": screen("stats", table={"stats": "no-rows"}),
    "history": screen("history", "--changes", table={"history": "history"}),
    "history-audit": screen("history", "--audit", table={"audit": "audit"}),
    "history-whole": screen("history", "--verify", table={"audit-verify": "audit-whole"}),
    "history-broken": screen("history", "--verify", table={"audit-verify": "audit-broken"}),
    "history-two-questions": screen("history", "--verify", "--audit"),
    "source-list": screen("source", "list", table={"source-list": "sources"}),
    "source-held": screen("source", "refresh", "feed", table={"source-refresh": "source-refreshing", "source-show": "source-held"}),
    "source-missing": screen("source", "add", "feed"),
    "help-source": screen("source", "--help"),
    "verify": screen("verify", table={"verify": "verify"}),
    "verify-bad": screen("verify", table={"verify": "verify-bad"}),
    "unblock": screen("unblock", "203.0.113.7", table={"unblock": "change"}),
    "allow": screen("allow", "203.0.113.7", "--note", "họp", table={"allow": "change-allow"}),
    "enforce-nothing": screen("enforce", "203.0.113.7", table={"enforce": "change-none"}),
    "push-unconfirmed": screen("push", "cv.txt", "--yes", "--confirm-within", "5m", files=LETTER,
                               table={"push": {**reply("done"), "unconfirmed": WAITING, "alarms": ["203.0.113.51: SSH"]}}),
    "status-unconfirmed": screen("status", table={"status": {**reply("status-plain"), "unconfirmed": [{**WAITING, "kind": "push", "actor": "nam"}]},
                                                  "stats": "no-rows"}),
    "history-confirmations": screen("history", table={"history": "history-confirmations"}),
    "confirm": screen("confirm", table={"confirm": {"exit": 0, "change": 19, "confirmed": [17, 18], "time": "2023-01-21T22:50:00+07:00"}}),
    "confirm-bad": screen("confirm", "all"),
    "undo": screen("undo", "17", table={"undo": "undo"}),
    "reattach": screen("reattach", table={"reattach": "reattach"}),
    "detach": screen("detach", table={"detach": "detach"}),
    "read-graded": screen("read", "lo-hong.txt", files=GRADED),
    "read": screen("read", "danh-sach.txt", files=LIST),
    "read-without-lists": screen("read", "danh-sach.txt", "--never-block", "/nowhere", files=LIST),
    "read-missing": screen("read", "thieu.txt", "danh-sach.txt", files=LIST),
}


# ---- What is asked of the daemon ---------------------------------------------------------------------

@check
def a_push_hands_over_the_files_and_the_options():
    run = Run("push", "cv.txt", "phuluc.txt", "--ref", "123", "--ttl", "7d", "--accept", "198.51.100.81", "--accept", "1.2.3.4", "--note", "gọi",
              "--monitor", "--yes", table={"push": "done"}, lang="vi", files=LETTER)
    same(len(run.requests), 1, "the number of requests")
    request, files = run.requests[0]
    same(request, {"v": 1, "op": "push", "session": SESSION, "lang": "vi", "files": ["cv.txt", "phuluc.txt"], "ref": "123", "ttl": 604800, "note": "gọi",
                   "accept": ["198.51.100.81", "1.2.3.4"], "monitor": True, "rows": 13}, "the request")
    same(files[:2], [LETTER["cv.txt"], LETTER["phuluc.txt"]], "what the daemon read")
    same([file[:5] for file in files[2:]], ["KHSET", "KHSET"], "what was read of them")


@check
def standard_input_can_be_read_twice():
    run = Run("push", "-", table={"push": ["plan-none", "plan-none"]}, stdin="203.0.113.9\n")
    same([files[:1] for _, files in run.requests], [["203.0.113.9\n"]] * 2, "what the daemon read")
    same(run.requests[0][0]["files"], ["-"], "its name")


@check
def a_yes_sends_the_token_of_what_was_shown():
    for typed in (b"c", b"C", b"y", b"yes", "có".encode(), "Có".encode(), "co\u0301".encode()):
        run = Run("push", "cv.txt", table=PLAN, files=LETTER, typed=[typed])
        same(run.code, 3, f"the exit code after {typed!r}")
        same([request.get("dry_run") for request, _ in run.requests], [True, None], "dry_run")
        same(run.requests[1][0]["token"], reply("plan")["token"], "the token")
        lacks(run.requests[1][0], "monitor")


@check
def what_was_cut_is_asked_for_when_something_was_to_be_cut():
    cut = {"exit": 0, "cut": 12}
    run = Run("push", "cv.txt", table={"push": [CUTTING, "done"], "cut": cut}, files=LETTER, typed=[b"c"])
    same([request["op"] for request, _ in run.requests], ["push", "push", "cut"], "what was asked")
    same(run.requests[2][0]["change"], reply("done")["change"], "of which change")
    has(run.out, "12 connections were cut")
    for plan, done, typed in ((SPARING, "done", b"c"), (BLIND, "done", b"c"), (CUTTING, "done-monitor", b"g")):
        run = Run("push", "cv.txt", table={"push": [plan, done], "cut": cut}, files=LETTER, typed=[typed])
        same([request["op"] for request, _ in run.requests], ["push", "push"], "what was asked")
    run = Run("push", "cv.txt", "--yes", table={"push": "done", "cut": cut}, files=LETTER)
    same([request["op"] for request, _ in run.requests], ["push"], "what was asked with --yes")


@check
def every_request_says_from_where_the_person_types():
    """As sshd has it: the daemon looks whether it is one. What no sshd writes is not sent."""
    for text, sent in (("198.51.100.9 50122 192.0.2.129 22", True), ("2001:db8::9 1 2001:db8::1 22", True), ("x y z a", True), ("", False), ("9" * 500 + " 1 2 3", False)):
        run = Run("push", "cv.txt", table=PLAN, files=LETTER, typed=[b"c"], env={"SSH_CONNECTION": text})
        same([request.get("session") for request, _ in run.requests], 2 * [text if sent else None], f"the session of {text!r}")


@check
def everything_else_is_no():
    for typed in (b"", b"n", b"k", b"no", b"ye", b"cc", b"\x04", b"khong"):
        run = Run("push", "cv.txt", table=PLAN, files=LETTER, typed=[typed])
        same((run.code, len(run.requests)), (1, 1), f"exit code and requests after {typed!r}")
        has(run.out, "Nothing was changed")


@check
def g_counts_only():
    for typed in (b"g", b"m", "giám sát".encode()):
        run = Run("push", "cv.txt", table={"push": ["plan", "done-monitor"]}, files=LETTER, typed=[typed])
        request = run.requests[1][0]
        same((request["monitor"], "token" in request), (True, False), "monitor, and no token of the other plan")
        has(run.out, "3 monitored, not blocked")


@check
def g_is_no_answer_when_nothing_would_be_dropped():
    plan = {**reply("plan"), "action": "monitor"}
    same(Run("push", "cv.txt", "--monitor", table={"push": [plan, "done"]}, files=LETTER, typed=[b"g"]).code, 1, "the exit code")


def names(*values):
    return {"exit": 0, "next": 0, "allows": [], "indicators": [
        {"id": i, "type": "url" if "/" in value else "domain", "value": value, "refs": ["1/A"], "state": "unenforceable"} for i, value in enumerate(values)]}


@check
def export_is_what_resolvers_take():
    listed = names("c2.example", "*.c3.example", "c3.example", "c2.example", "www.c3.example", "http://c4.example/x", "a b.example", "x\"; include: y")
    expected = {
        "rpz": "c2.example CNAME .\n" "c3.example CNAME .\n" "*.c3.example CNAME .\n" "www.c3.example CNAME .\n",
        "dnsmasq": "address=/c3.example/\n" "host-record=c2.example,0.0.0.0,::\n" "host-record=www.c3.example,0.0.0.0,::\n",
        "hosts": "0.0.0.0 c3.example\n:: c3.example\n0.0.0.0 c2.example\n:: c2.example\n0.0.0.0 www.c3.example\n:: www.c3.example\n",
        "unbound": 'local-zone: "c3.example." always_null\n' 'local-zone: "c2.example." typetransparent\nlocal-data: "c2.example. A 0.0.0.0"\nlocal-data: "c2.example. AAAA ::"\n',
    }
    tools = {"rpz": ["named-checkzone", "-q", "rpz.khien"], "dnsmasq": ["dnsmasq", "--test", "-C"], "unbound": ["unbound-checkconf"]}
    for form, lines in expected.items():
        run = Run("export", "--format", form, "--ref", "1/A", table={"list": listed})
        same(run.code, 0, "the exit code")
        same(run.requests[0][0]["unenforceable"], True, "what was asked for")
        same(run.requests[0][0]["ref"], "1/A", "of which letter")
        same(sorted(set(lines.splitlines()) - set(run.out.splitlines())), [], f"lines missing from {form}")
        lacks(run.out, "include")
        lacks(run.out, "c4.example")
        has(run.err, "names: 3, of them with all below: 1; links left out: 1")
        has(run.err, "not names of hosts: 2")
        tool = tools.get(form)
        if tool and shutil.which(tool[0]):
            with tempfile.NamedTemporaryFile("w", suffix="." + form) as file:
                file.write(run.out)
                file.flush()
                done = subprocess.run([*tool, file.name], capture_output=True, text=True)
                same(done.returncode, 0, f"{tool[0]}: {done.stdout}{done.stderr}")
    has(Run("export", "--format", "hosts", table={"list": listed}).err, "cannot say")
    same(Run("export", "--format", "zone", table={"list": listed}).code, 2, "the exit code of another form")
    same(Run("export", table={"list": listed}).code, 2, "the exit code without a form")
    same(Run("export", "--format", "rpz", table={"list": names()}).code, 0, "the exit code of nothing")


NO_COUNTS = dict.fromkeys(("enforce", "review", "refuse", "unenforceable", "unchanged"), 0)


@check
def x_shows_every_row_and_asks_again():
    plan = reply("plan")
    plan["rows"] = [{**plan["rows"][0], "value": f"203.0.113.{i}"} for i in range(40)]
    plan["counts"] = {**NO_COUNTS, "enforce": 40}
    run = Run("push", "cv.txt", table={"push": [plan, "done"]}, files=LETTER, typed=[b"x", b"n"])
    same(run.out.count("Block 40 indicators?"), 2, "questions")
    before, after = run.out.split("Block 40 indicators?")[:2]
    has(before, "… and 28 more")
    lacks(before, "203.0.113.39 ")
    has(after, "203.0.113.39 ")
    lacks(after, "more")


@check
def one_row_too_many_is_shown():
    plan = reply("plan")
    plan["rows"] = [{**plan["rows"][0], "value": f"203.0.113.{i}"} for i in range(13)]
    plan["counts"] = {**NO_COUNTS, "enforce": 13}
    run = Run("push", "cv.txt", "--dry-run", table={"push": plan}, files=LETTER)
    has(run.out, "203.0.113.12 ")
    lacks(run.out, "… and")


@check
def nothing_to_block_is_not_asked_about():
    run = Run("block", "198.51.0.0/16", table={"block": ["plan-waiting", "done-waiting"]})
    same((run.code, [request.get("dry_run") for request, _ in run.requests]), (3, [True, None]), "exit code and requests")


@check
def orders_go_out_as_the_protocol_says():
    for arguments, expected in (
            (("block", "203.0.113.7", "--ttl", "4h", "--yes"), {"op": "block", "values": ["203.0.113.7"], "ttl": 14400}),
            (("accept", "a", "b", "--ref", "9"), {"op": "accept", "values": ["a", "b"], "ref": "9"}),
            (("reject", "a", "--note", "không"), {"op": "reject", "values": ["a"], "note": "không"}),
            (("accept", "a", "--confirm-within", "5m"), {"op": "accept", "values": ["a"], "confirm_within": 300}),
            (("confirm", "17"), {"op": "confirm", "change": 17}),
            (("confirm",), {"op": "confirm"}),
            (("enforce", "9", "b"), {"op": "enforce", "targets": ["9", "b"]}),
            (("monitor", "9"), {"op": "monitor", "targets": ["9"]}),
            (("extend", "9", "--ttl", "2w"), {"op": "extend", "targets": ["9"], "ttl": 1209600}),
            (("unblock", "--ref", "9"), {"op": "unblock", "values": [], "ref": "9"}),
            (("allow", "--note", "n", "a"), {"op": "allow", "values": ["a"], "note": "n"}),
            (("disallow", "a"), {"op": "disallow", "values": ["a"]}),
            (("undo", "17"), {"op": "undo", "change": 17}),
            (("undo",), {"op": "undo"}),
            (("list", "--ref", "9", "--expiring", "24h"), {"op": "list", "ref": "9", "expiring": 86400}),
            (("review", "9"), {"op": "review", "ref": "9"}),
            (("show", "9"), {"op": "show", "ref": "9"}),
            (("why", "--", "-x"), {"op": "why", "value": "-x"}),
            (("stats", "--by", "host", "--top", "5"), {"op": "stats", "by": "host", "limit": 5}),
            (("history", "--top", "3", "--before", "9000"), {"op": "history", "limit": 3, "before": 9000}),
            (("verify",), {"op": "verify"}),
            (("reattach", "eth0"), {"op": "reattach", "interface": "eth0"}),
            (("detach",), {"op": "detach"})):
        run = Run("--json", *arguments[:1], "--lang", "en", *arguments[1:], table={arguments[0]: {"exit": 0, "rows": [], "indicators": []}})
        if arguments[0] == "why":  # what follows "--" is an argument, the language of run() too
            continue
        same(run.requests[0][0], {"v": 1, "lang": "en", "session": SESSION, **expected}, "the request")


@check
def the_audit_is_asked_for_by_name():
    for arguments, expected in ((("--audit",), {"op": "audit"}), (("--audit", "--before", "9", "--top", "3"), {"op": "audit", "before": 9, "limit": 3}),
                                (("--verify",), {"op": "audit-verify"})):
        run = Run("history", *arguments, "--json", table={expected["op"]: {"exit": 0, "entries": []}})
        same(run.requests[0][0], {"v": 1, "lang": "en", "session": SESSION, **expected}, "the request")
    same(len(Run("history", "--verify", "--top", "3", table={"audit-verify": "audit-whole"}).requests), 0, "requests for a part of the chain")
    same(Run("history", "--verify", "--json", table={"audit-verify": "audit-broken"}).code, 1, "the exit code of a broken chain")


@check
def what_is_said_of_a_letter_goes_to_the_daemon():
    run = Run("push", "cv.txt", "--yes", "--ref", "1/A", "--date", "21/1/2023", "--issuer", "Sở Mẫu", table={"push": "done"}, files=LETTER)
    same({key: run.requests[0][0].get(key) for key in ("ref", "date", "issuer")}, {"ref": "1/A", "date": "2023-01-21", "issuer": "Sở Mẫu"}, "the request")
    run = Run("push", "mo.txt", table=PLAN, files=BLANK, typed=[b" 12/SM ", b"c"])
    same([request.get("ref") for request, _ in run.requests], ["12/SM", "12/SM"], "the number that was typed")
    same(len(Run("push", "mo.txt", table=PLAN, files=BLANK, typed=[b"", b"", b""]).requests), 0, "requests without a number")
    same(len(Run("push", "mo.txt", "--yes", table=PLAN, files=BLANK).requests), 0, "requests without a terminal")
    same(Run("push", "mo.txt", "--yes", "--ref", "12/SM", table={"push": "done"}, files=BLANK).code, 3, "with --ref")
    same(Run("push", "danh-sach.txt", "--yes", table={"push": "done"}, files=LIST).code, 3, "a plain list")


@check
def pages_are_put_together():
    run = Run("list", "--json", table={"list": ["list", "list-rest"]})
    same([request.get("after") for request, _ in run.requests], [None, 9], "after")
    same([row["id"] for row in run.json()["indicators"]], [9, 10], "the rows")
    lacks(run.out, '"next"')


@check
def a_list_is_whole_or_none():
    run = Run("list", "--json", table={"list": ["list", "error"]})
    same((run.code, list(run.json())), (2, ["error"]), "exit code and members")


@check
def a_daemon_that_repeats_itself_is_not_asked_for_ever():
    same(len(Run("list", table={"list": [reply("list"), reply("list")]}).requests), 2, "the number of requests")


# ---- JSON --------------------------------------------------------------------------------------------

@check
def json_is_the_reply_without_what_is_the_protocols():
    for arguments, op, name in ((("status",), "status", "status"), (("push", "cv.txt", "--dry-run"), "push", "plan"),
                                (("push", "cv.txt", "--yes"), "push", "done"), (("why", "a"), "why", "why-value"), (("stats",), "stats", "callers"),
                                (("history",), "history", "history"), (("verify",), "verify", "verify-bad"), (("undo",), "undo", "undo")):
        answer = json.loads(re.sub(r'\{"en": ("(?:[^"\\]|\\.)*"), "vi": "(?:[^"\\]|\\.)*"\}', r"\1", json.dumps(reply(name))))
        run = Run(*arguments, "--json", table={op: answer}, files=LETTER)
        same(run.code, answer.pop("exit"), "the exit code")
        answer.pop("token", None)
        same(run.json(), answer, name)
        same(run.err, "", "standard error")


@check
def json_errors_are_objects_too():
    run = Run("show", "12", "--json", table={"show": "error"})
    same((run.code, run.json()["error"]["hint"], run.err), (2, "write more of the number", ""), "exit code, hint, standard error")
    run = Run("list", "--json")
    same((run.code, list(run.json())), (4, ["error"]), "without a daemon")


@check
def json_never_asks():
    run = Run("push", "cv.txt", "--json", table=PLAN, files=LETTER, typed=[b"c"])
    same((run.code, len(run.requests)), (2, 1), "exit code and requests")


# ---- Without a daemon, or with a broken one ----------------------------------------------------------

@check
def status_tells_from_the_pins():
    with_pins = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"khien-cli-pins.{os.getpid()}")
    os.makedirs(os.path.join(with_pins, "v1", "links"))
    for name in ("xdp-1", "tc-ingress-999999"):
        open(os.path.join(with_pins, "v1", "links", name), "w").close()
    try:
        command = [khien, "status", "--socket", "/nowhere/x.sock"]
        done = subprocess.run(command, env=environment(KHIEN_BPFFS=with_pins), capture_output=True, text=True)
        same(done.returncode, 4, "the exit code")
        has(done.stderr, "STILL ENFORCING without the daemon, as it was left: #999999 tc-ingress, lo xdp")
        done = subprocess.run([*command, "--json"], env=environment(KHIEN_BPFFS=with_pins), capture_output=True, text=True)
        same(json.loads(done.stdout)["attached"], ["#999999 tc-ingress", "lo xdp"], "attached")
    finally:
        subprocess.run(["rm", "-r", with_pins], check=True)


@check
def no_permission_names_the_group():
    if os.getuid():
        return
    run = Run("status", table={"status": "status"}, user=65534)
    same(run.code, 4, "the exit code")
    has(run.err, "khien-admin")
    lacks(run.err, "NOT PROTECTED")


@check
def broken_replies_are_told_apart():
    whole = b'{"exit": 0}'
    for answer, text in ((b"", "went away"), (b"\x05", "went away"), (struct.pack("=I", 100) + b"{}", "went away"),
                         (struct.pack("=I", 0xffffffff) + b"x", "not khiend"), (struct.pack("=I", 256 * 1024 * 1024 + 1), "not khiend"),
                         (struct.pack("=I", 0), "not khiend"), (struct.pack("=I", 4) + b"null", "not khiend"),
                         (struct.pack("=I", 2) + b"{}", "not khiend"), (struct.pack("=I", 12) + b'{"exit":"0"}', "not khiend"),
                         (struct.pack("=I", 11) + b'{"exit": 7}', "not khiend"), (struct.pack("=I", 5) + b'\xff\xfe{}"', "not khiend"),
                         (struct.pack("=I", len(whole)) + whole[:-1] + b"]", "not khiend"), (b"HTTP/1.1 400 Bad Request\r\n", "not khiend")):
        run = Run("verify", table={"verify": answer})
        same(run.code, 4, f"the exit code after {answer[:20]!r}")
        has(run.err, text)
        same(run.out, "", "standard output")


@check
def a_reply_of_empty_or_wrong_members_is_no_crash():
    wrong = {"exit": 0, "rows": 7, "indicators": {}, "letters": [3, None], "counts": [], "problems": "x", "interfaces": [1], "generation": 5,
             "verified": 1, "allows": 9, "changes": [None], "by": [4], "verdict": 5, "machine": [], "sightings": [None], "total": 1,
             "differences": [None], "removed": 1, "letter": 3, "change": "x", "time": 12, "error": None, "next": -5}
    for answer in ({"exit": 0}, {**wrong, "error": 3}, {key: value for key, value in wrong.items() if key != "error"}):
        for arguments in (("status",), ("push", "cv.txt", "--yes"), ("push", "cv.txt"), ("why", "a"), ("list",), ("review",), ("show", "a"), ("stats",),
                          ("history",), ("verify",), ("unblock", "a"), ("undo",), ("reattach",), ("detach",)):
            for more in ((), ("--json",)):
                run = Run(*arguments, *more, table={arguments[0]: answer, "stats": answer}, files=LETTER)
                if run.code not in (0, 1, 2, 3):
                    raise AssertionError(f"{arguments} {more}: exit {run.code}: {run.err}")


@check
def too_much_for_a_request_is_said():
    run = Run("block", *[f"203.0.{i % 250}.{i % 251}-{'x' * 100}" for i in range(11000)], "--yes", table={"block": "done"})
    same(run.code, 2, "the exit code")
    has(run.err, "push the file")


# ---- What a stranger wrote ---------------------------------------------------------------------------

@check
def no_text_reaches_the_terminal_as_a_command():
    hostile = reply("hostile")
    row = hostile["indicators"][0]
    for arguments, table in ((("list",), {"list": hostile}), (("review",), {"review": hostile}), (("show", "9"), {"show": {**hostile, "letter": row}}),
                             (("push", "cv.txt", "--yes"), {"push": {**reply("done"), "rows": [row], "notes": [row["value"]]}}),
                             (("why", "x"), {"why": {**reply("why-value"), "value": row["value"], "by": [row]}}),
                             (("undo",), {"undo": {"exit": 1, "error": {"text": row["value"], "hint": row["value"]}}})):
        for more in ((), ("--json",)):
            run = Run(*arguments, *more, table=table, files=LETTER)
            for char in "\x1b\x07\x7f\x9b\u202e\r\t":
                lacks(run.out + run.err, char)
            if more:
                run.json()


@check
def arguments_are_not_commands_either():
    for arguments in (("\x1b[31m",), ("stats", "--\x1b[31m"), ("undo", "\x1b[31m"), ("push", "\x1b[31m"), ("extend", "a", "--ttl", "\x1b[2J")):
        run = Run(*arguments, table={})
        lacks(run.out + run.err, "\x1b")
        if run.code not in (1, 2):
            raise AssertionError(f"exit {run.code}")


# ---- The terminal ------------------------------------------------------------------------------------

@check
def colour_only_on_a_terminal():
    table = {"status": "status", "stats": "no-rows"}
    lacks(Run("status", table=table, env={"TERM": "xterm"}).out, "\x1b")
    has(Run("status", table=table, env={"TERM": "xterm"}, typed=[]).out, "\x1b[33m")
    for env in ({"TERM": "dumb"}, {"TERM": "xterm", "NO_COLOR": "1"}):
        lacks(Run("status", table=table, env=env, typed=[]).out, "\x1b")


@check
def a_table_in_colour_is_the_same_table():
    def table(**env):
        return Run("push", "cv.txt", "--dry-run", table={"push": "plan"}, files=LETTER, typed=[], env=env).out

    has(table(TERM="xterm"), "\x1b[1;31mBLOCK")
    same(re.sub("\x1b\\[[0-9;]*m", "", table(TERM="xterm")).replace(" \n", "\n"), table(TERM="dumb"), "without the colour")


@check
def the_last_column_is_broken_between_words():
    for width in (90, 100, 120, 200):
        run = Run("push", "cv.txt", "--dry-run", table={"push": "plan"}, files=LETTER, typed=[], width=width)
        lines = run.out[run.out.index("DECISION"):run.out.index("To block")].split("\n")
        same([line for line in lines if columns(line) > width], [], f"lines wider than {width}")
        has(" ".join(line.strip() for line in lines), 'one address or the network? (written "198.51.100.9/25") (1 never-block range is cut out)')


@check
def a_console_without_accents_gets_none():
    table = {"status": "status", "stats": "no-rows"}
    run = Run("status", table=table, env={"TERM": "linux", "NO_COLOR": "1"}, typed=[], lang="vi")
    has(run.out, "KHIEN: BAO VE CHUA DAY DU")
    has(run.out, "Van phong UBND tinh")
    has(Run("status", table=table, env={"TERM": "linux"}, lang="vi").out, "KHIÊN")
    has(Run("status", table=table, env={"TERM": "linux"}, typed=[], lang="en").out, "Văn phòng")


@check
def tables_stay_in_line_whatever_stands_in_them():
    plan = reply("plan")
    values = ["203.0.113.7", "chặn-ngay-lập-tức.example", "漢字漢字.example", "chặn.example", "ａｂ.example"]
    plan["rows"] = [{**plan["rows"][0], "value": value, "sentence": "S"} for value in values]
    for lang in ("en", "vi"):
        lines = Run("push", "cv.txt", "--dry-run", table={"push": plan}, files=LETTER, lang=lang).out.split("\n")
        starts = {columns(line[:line.index(" phuluc")]) for line in lines if " phuluc" in line and " S" in line}
        same(len(starts), 1, "the number of columns where the source begins")


# ---- Language ----------------------------------------------------------------------------------------

@check
def the_locale_names_the_language_unless_lang_does():
    for env, language in (({"LANG": "vi_VN.UTF-8"}, "vi"), ({"LANG": "C.UTF-8", "LANGUAGE": "vi"}, "vi"), ({"LANG": "en_US.UTF-8"}, "en"), ({}, "en")):
        done = subprocess.run([khien, "--socket", "/nowhere", "--help"], env=environment(**env), capture_output=True, text=True)
        has(done.stdout, "Cách dùng" if language == "vi" else "Usage")
    for arguments in (("--lang", "vi", "--help"), ("--lang=vi", "--help"), ("push", "--help", "--lang", "vi"), ("push", "--lang=vi", "--help")):
        has(subprocess.run([khien, *arguments], env=environment(LANG="en_US.UTF-8"), capture_output=True, text=True).stdout, "Cách dùng")
    done = subprocess.run([khien, "--lang", "fr", "status"], env=environment(), capture_output=True, text=True)
    same(done.returncode, 2, "the exit code")
    has(done.stderr, "fr")


# ---- Files, arguments, output ------------------------------------------------------------------------

@check
def usage_errors():
    for arguments in (("push",), ("why",), ("why", "a", "b"), ("show",), ("undo", "x"), ("undo", "0"), ("status", "x"), ("extend", "a"), ("unblock",),
                      ("reject", "a"), ("push", *(["cv.txt"] * 33)), ("list", "--expiring"), ("stats", "--top", "0"), ("stats", "--by", ""),
                      ("push", "cv.txt", "-x"), ("history", "--json=yes"), ("block", "\udcff")):
        run = Run(*arguments, table={}, files=LETTER)
        same((run.code, run.requests, run.out), (2, [], ""), f"exit code, requests and output of {arguments[:3]}")
        has(run.err, "→ ")


@check
def a_folder_is_no_file():
    run = Run("push", "/", table=PLAN)
    same((run.code, run.requests), (1, []), "exit code and requests")
    has(run.err, "it is a folder")


@check
def a_full_disk_is_no_success():
    with open("/dev/full", "w") as full:
        run = Run("verify", "--json", table={"verify": "verify"}, stdout=full)
    same(run.code, 1, "the exit code")
    has(run.err, "could not be written")


@check
def read_gives_every_document_that_can_be_read():
    run = Run("read", "thieu.txt", "danh-sach.txt", "--json", files=LIST)
    documents = run.json()["documents"]
    same((run.code, [document["file"] for document in documents]), (1, ["danh-sach.txt"]), "exit code and documents")
    same({row["value"]: row["decision"] for row in documents[0]["indicators"]},
         {"203.0.113.7": "enforce", "10.0.0.0/8": "review", "1.2.3.4.5": "review", "8.8.8.8": "refuse", "xau.example": "unenforceable"}, "decisions")
    same(set(documents[0]), {"file", "format", "letter", "announced", "cves", "hashes", "hash_counts", "vulnerabilities", "indicators", "notes"}, "the members of a document")
    same(Run("read", "-", "--json", stdin="203.0.113.7\n").json()["documents"][0]["indicators"][0]["line"], 1, "the line")


def long_list():
    """More values than a bulk list begins with, and some that are looked at one by one."""
    lines = [f"100.{i >> 8}.{i & 255}.{i % 3}" + ("\t7" if i % 5 == 0 else "") for i in range(12000)]
    for at, line in enumerate(["10.1.2.3/8", "8.8.8.8", "192.0.0.0/22", "xau.example", "2001:db8::/32", "203.0.113.7:443", "1.2.3", "203[.]0[.]113[.]9",
                               "192.0.2.9", "198.51.0.0/16", "203.0.113.16-203.0.113.40", "2001:db8::7", "# lời ghi", "100.0.0.0"]):
        lines.insert(800 * at + 3, line)
    return lines


@check
def read_gives_a_long_list_as_its_parts():
    lines, parts = long_list(), []
    for start in range(0, len(lines), 6000):
        text = "\n" * start + "\n".join(lines[start:start + 6000]) + "\n"
        parts += Run("read", "phan.txt", "--json", files={"phan.txt": text}).json()["documents"][0]["indicators"]
    run = Run("read", "phan.txt", "--json", files={"phan.txt": "\n".join(lines) + "\n"})
    rows = run.json()["documents"][0]["indicators"]
    same(run.code, 0, "the exit code")
    same(len(rows), 12012, "the number of rows")
    again = [row for row in parts if row["value"] == "100.0.0.0"][1:]  # seen in the first part already
    for row, part in zip(rows, (row for row in parts if row not in again), strict=True):
        same(row, part, "a row")
    decisions = [row["decision"] for row in rows]
    same([decisions.count(word) for word in ("enforce", "review", "refuse", "unenforceable")], [12005, 4, 2, 1], "the decisions")


@check
def read_makes_the_prefixes_of_a_long_list_wait_when_it_is_too_wide():
    text = "".join(f"100.{i >> 8}.{i & 255}.1\n" for i in range(12000)) + "".join(f"101.1.{i}.0/24\n" for i in range(209))
    for name, more, waiting in ("at the limit", "", 0), ("over it", "101.2.0.0/27\n101.2.1.1\n", 210):
        rows = Run("read", "dai.txt", "--json", files={"dai.txt": text + "".join(f"102.{i}.0.1\n" for i in range(32)) + more}).json()
        rows = [row for row in rows["documents"][0]["indicators"] if row["reason"] == "letter-too-wide"]
        same((len(rows), {row["rule"] for row in rows}), (waiting, {"65569 > 65536"} if waiting else set()), name)


@check
def read_shows_a_long_list():
    run = Run("read", "dai.txt", files={"dai.txt": "\n".join(long_list()) + "\n"})
    same(run.out.split("\n")[-2:], ["To block 12005 · to review 4 · refused 2 · unenforceable 1", ""], "the end")
    same(len(run.out.split("\n")), 12 + 3 + 1 + 7 + 4, "the number of lines")  # plain values, others, how many more, what is not blocked, the frame
    has(run.out, "… and 11990 more")


# ---- Help, manual, completion: of one mind -----------------------------------------------------------

@check
def every_command_and_option_is_in_the_manual_and_the_completion():
    def text(*path):
        with open(os.path.join(ROOT, *path)) as file:
            return file.read()

    manual, completion = text("userspace", "man", "khien.1.scd"), text("userspace", "completion", "khien")
    commands = re.findall(r"^  ([a-z]+) ", Run("--help").out, re.M)
    same(len(commands), 25, "the number of commands")
    for command in commands:
        if not re.search(rf"\*{command}\*", manual):
            raise AssertionError(f"khien.1 does not tell about {command}")
        usage = Run(command, "--help").out
        offered = subprocess.run(["bash", "-c", f". {ROOT}/userspace/completion/khien; COMP_WORDS=(khien {command} --); COMP_CWORD=2; _khien; "
                                  'printf "%s\\n" "${COMPREPLY[@]}"'], capture_output=True, text=True).stdout.split()
        for option in re.findall(r"^  (--[a-z-]+)", usage, re.M):
            if f"*{option}*" not in manual:
                raise AssertionError(f"khien.1 does not tell about {command} {option}")
            if option not in offered:
                raise AssertionError(f"the completion does not offer {command} {option}: {offered}")
        for option in offered:
            if option != "--help" and not re.search(rf"^  {option}\b", usage, re.M):
                raise AssertionError(f"the completion offers {command} {option}, which is none")
    same(set(re.search(r"commands='([^']*)'", completion).group(1).split()), set(commands), "the commands of the completion")
