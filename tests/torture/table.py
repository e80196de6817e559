#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of make torture: reads the rows that tests/torture/run gathered, writes JSON and Markdown, prints the table.

table.py ROWS JSON MARKDOWN; a row is PART, RESULT, SECONDS, WHY or PART, "figure", NAME, VALUE, separated by tabs."""
import json
import os
import sys


def number(text):
    return float(text) if "." in text else int(text)


def main(rows_path, json_path, markdown_path):
    parts = {}
    with open(rows_path, encoding="utf-8") as rows:
        for row in rows:
            part, kind, one, two = row.rstrip("\n").split("\t", 3)
            if kind == "figure":
                parts[part]["figures"][one] = number(two)
            else:
                parts[part] = {"result": kind, "seconds": int(one), "why": two, "figures": {}}
    with open(json_path, "w", encoding="utf-8") as file:
        json.dump({"quick": bool(os.environ.get("QUICK")), "kernel": os.uname().release, "parts": parts}, file, indent=1, ensure_ascii=False)
        file.write("\n")
    lines = ["| part | what | figure |", "|---|---|---:|"]
    for name, part in parts.items():
        if part["result"] != "ok":
            lines.append(f"| {name} | **{part['result']}**: {part['why']} | |")
        for figure, value in part["figures"].items():
            lines.append(f"| {name} | {figure.replace('_', ' ')} | {value:,} |")
        lines.append(f"| {name} | seconds it took | {part['seconds']:,} |")
    with open(markdown_path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
