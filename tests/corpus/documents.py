#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# make corpus, documents: what the reader finds in real bundles, events, lists, reports and defanged pairs, against what stands in them. Prints each measure with what is
# wanted, and ends with 1 when one is missed. Without the corpus it says so and is content.
#
#   documents.py KHIEN CORPUS NEVER_BLOCK
import json
import os
import re
import subprocess
import sys
import tempfile
import time

khien, corpus, never_block = sys.argv[1:4]
missed = 0


def load(*path):
    with open(os.path.join(corpus, *path)) as file:
        return json.load(file)


def read(path, text=None, folder=never_block):
    run = subprocess.run([khien, "--lang", "en", "read", "--json", "--never-block", folder, path], input=text, capture_output=True, text=True)
    return json.loads(run.stdout)["documents"] if run.returncode == 0 else None, run.stderr


def rows(documents):
    return [row for document in documents or [] for row in document["indicators"]]


def measure(name, found, wanted, least, more=()):
    global missed
    share = found / wanted if wanted else 1.0
    good = share >= least
    missed += not good
    print(f"{name:<58} {found:>6} of {wanted:<6} {share:8.2%}  wanted {least:.1%}  {'met' if good else 'NOT MET'}")
    for line in more:
        print(f"    {line}")


def structured():
    found = wanted = 0
    missing, refused = [], []
    for folder in ("stix/oasis", "stix/unit42", "stix/mvt", "misp/eset"):
        for name, expected in load(folder, "expected.json")["files"].items():
            values = {n["value"].strip() for i in expected["net_indicators"] for n in i["net"]} if "net_indicators" in expected else \
                {n["value"].strip() for n in expected["network"]}
            documents, said = read(os.path.join(corpus, folder, name))
            if documents is None:
                refused.append(f"{name}: {said.splitlines()[0]}")
                continue
            got = {text.lower() for row in rows(documents) for text in (row["raw"].strip(), row["value"])}
            for value in values:
                # "a|b" is two values, or an address with its port
                parts = [value] if "|" not in value else [value.replace("|", ":")] if value.split("|")[1].isdigit() else value.split("|")
                wanted += 1
                if all(part.lower() in got for part in parts):
                    found += 1
                else:
                    missing.append(f"{name}: {value}")
    measure("STIX and MISP: network values", found, wanted, 1.0, missing + refused)


def dialects():
    sets = {}
    for name in sorted(os.listdir(os.path.join(corpus, "domains"))):
        if name.startswith("adaway."):
            sets[name] = frozenset(row["value"] for row in rows(read(os.path.join(corpus, "domains", name))[0]))
    exact = {sets[n] for n in sets if n in ("adaway.hosts.txt", "adaway.domains.txt")}
    below = {sets[n] for n in sets if n not in ("adaway.hosts.txt", "adaway.domains.txt")}
    whole, part = next(iter(exact), frozenset()), next(iter(below), frozenset())
    covered = all(any(".".join(name.split(".")[i:]) in part for i in range(name.count(".") + 1)) for name in whole)
    measure("dialects of one list: equal sets", (len(exact) == 1) + (len(below) == 1) + covered, 3, 1.0,
            [f"{name}: {len(names)}" for name, names in sets.items()])


def reports():
    counts = {"address": [0, 0], "domain": [0, 0], "url": [0, 0]}
    missing = []
    for name, expected in load("stix/unit42", "expected.json")["files"].items():
        path = os.path.join(corpus, "stix/unit42", name[:-5] + ".txt")
        if not os.path.exists(path):
            continue
        with open(path, errors="replace") as file:
            flat = re.sub(r"\s+", "", file.read()).lower()
        for written, plain in (("[.]", "."), ("(.)", "."), ("hxxp", "http"), ("[:]", ":"), ("[://]", "://"), ("[.", ".")):
            flat = flat.replace(written, plain)
        got = set()
        for row in rows(read(path)[0]):
            got |= {row["value"].lower().rstrip("/"), row["value"].lower().rsplit(":", 1)[0]}
        for item in (item for indicator in expected["net_indicators"] for item in indicator["net"]):
            value = item["value"].strip().lower()
            kind = item["type"] if item["type"] in ("url", "domain") else "address"
            if not re.search(r"(?<![\w.])" + re.escape(value) + r"(?![\w])", flat):
                continue
            counts[kind][1] += 1
            if value.rstrip("/") in got:
                counts[kind][0] += 1
            else:
                missing.append(f"{kind}: {value}")
    for kind, least in (("address", 1.0), ("domain", 0.999), ("url", 0.97)):
        measure(f"report texts: {kind} values found", *counts[kind], least, [line for line in missing if line.startswith(kind)])


def labelled():
    found = wanted = 0
    wrong, slow = [], 0.0
    for name, label in load("reports", "labels.json")["files"].items():
        start = time.monotonic()
        all_rows = rows(read(os.path.join(corpus, "reports", name))[0])
        slow = max(slow, time.monotonic() - start)
        values = {row["value"] for row in all_rows}
        wanted += len(label["ipv4_must"])
        found += sum(value in values for value in label["ipv4_must"])
        wrong += [row["value"] for row in all_rows if row["decision"] == "enforce" and row["value"] not in label["ipv4_must"]]
    measure("labelled PDFs: addresses found", found, wanted, 1.0)
    measure("labelled PDFs: nothing harmless enforced", int(not wrong), 1, 1.0, wrong)
    print(f"{'labelled PDFs: the slowest, seconds':<58} {slow:.2f}")


def defanged():
    form = re.compile(r"(?:https?://[^\s,]+)|(?:\d{1,3}(?:\.\d{1,3}){3})|(?:[a-z0-9-]+(?:\.[a-z0-9-]+)+)", re.I)
    cases = missing = 0
    left = []
    for case in load("extract", "refang-cases.json")["cases"]:
        values = {text.lower().rstrip("/.") for text in form.findall(re.sub(r"\S+@\S+", "", case["expected_refanged"]))}
        if case["kind"] == "email" or not values:
            continue
        got = set()
        for row in rows(read("-", case["input"] + "\n")[0]):
            value = row["value"].lower().rstrip("/.")
            got |= {value, value.split("://")[-1].split("/")[0]}
        cases += 1
        lost = [value for value in values if value not in got and value.split("://")[-1].split("/")[0] not in got]
        missing += bool(lost)
        if lost:
            left.append(f"{case['id']}: {', '.join(lost)}")
    # "-dot-" is part of real host names, a comma between numbers is none, a file in a path is no name
    measure("defanged pairs (policy cases are listed)", cases - missing, cases, 0.95, left)


def harmless():
    """Everything on the lists of what is listed by mistake, in an annex, with those lists in the folder."""
    with tempfile.TemporaryDirectory() as folder:
        values = []
        for name in sorted(os.listdir(os.path.join(corpus, "never-block"))):
            content = load("never-block", name)
            if content.get("type", "string") not in ("cidr", "string", "hostname"):
                continue
            with open(os.path.join(folder, name), "w") as file:
                json.dump(content, file)
            values += [value for value in content["list"] if re.fullmatch(r"[0-9a-f:.]+(/\d+)?", value, re.I)]
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as annex:
            annex.write("PHỤ LỤC\n" + "\n".join(f"- {value}" for value in values) + "\n")
            annex.flush()
            enforced = [row["value"] for row in rows(read(annex.name, folder=folder)[0]) if row["decision"] == "enforce"]
    measure("never-block sets: nothing of them enforced", len(values) - len(enforced), len(values), 1.0, enforced[:10])


if not os.path.isdir(os.path.join(corpus, "stix")):
    print(f"left out: there are no documents in {corpus}")
    sys.exit(0)
for part in (structured, dialects, reports, labelled, defanged, harmless):
    part()
print(f"{missed} measures missed" if missed else "all measures met")
sys.exit(missed > 0)
