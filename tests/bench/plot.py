# SPDX-License-Identifier: GPL-2.0-or-later
#
# The picture of a benchmark: what a look-up costs as the list grows, and live traffic. Plain SVG, readable on light and dark.
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 940, 420
STYLE = """
svg { font: 13px system-ui, sans-serif; }
text { fill: #24292f; } .soft { fill: #57606a; font-size: 12px; } .title { font-weight: 600; font-size: 15px; }
.grid { stroke: #d0d7de; stroke-width: 1; } .line { fill: none; stroke-width: 2.2; }
.floor { stroke: #8c959f; fill: #8c959f; } .khien { stroke: #1a7f37; fill: #1a7f37; } .lpm { stroke: #bc4c00; fill: #bc4c00; }
.nft { stroke: #8250df; fill: #8250df; } .ipset { stroke: #0969da; fill: #0969da; } .line { fill: none; } .bar { stroke: none; }
@media (prefers-color-scheme: dark) {
 text { fill: #e6edf3; } .soft { fill: #9198a1; } .grid { stroke: #3d444d; }
 .floor { stroke: #9198a1; fill: #9198a1; } .khien { stroke: #3fb950; fill: #3fb950; } .lpm { stroke: #f0883e; fill: #f0883e; }
 .nft { stroke: #ab7df8; fill: #ab7df8; } .ipset { stroke: #4493f8; fill: #4493f8; } .line { fill: none; } .bar { stroke: none; }
}
"""


def text(x, y, words, anchor="start", style=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{style}">{escape(words)}</text>'


def line(x1, y1, x2, y2, style):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>'


def short(number):
    return f"{number // 10**6} M" if number >= 10**6 else f"{number // 1000} k" if number >= 1000 else str(number)


def growth(rows, left, top, width, height):
    """ns a look-up by entries, both axes logarithmic; random IPv4."""
    rows = [r for r in rows if r["list"] == "random" and r["family"] == "ipv4"]
    out = [text(left, top - 28, "One look-up, ns a packet (random IPv4)", style="title"),
           text(left, top - 10, "solid: hit, dashed: miss; both axes logarithmic; floor and harness included", style="soft")]
    entries = sorted({r["entries"] for r in rows})
    if len(entries) < 2:
        return out + [text(left, top + 40, "not measured", style="soft")]
    values = [r[k] for r in rows for k in ("floor_ns", "khien_ns", "lpm_ns") if r[k]]
    low, high = math.floor(math.log10(min(values)) * 2) / 2, math.ceil(math.log10(max(values)) * 4) / 4

    def x_of(count):
        first, last = math.log10(entries[0]), math.log10(entries[-1])
        return left + (math.log10(count) - first) / (last - first) * (width - 130)

    def y_of(nanoseconds):
        return top + height - (math.log10(nanoseconds) - low) / (high - low) * height

    for tick in (20, 50, 100, 200, 500, 1000, 2000, 5000):
        if low <= math.log10(tick) <= high:
            out += [line(left, y_of(tick), left + width - 130, y_of(tick), "grid"), text(left - 8, y_of(tick) + 4, f"{tick:,}", "end", "soft")]
    for count in entries:
        out.append(text(x_of(count), top + height + 20, short(count), "middle", "soft"))
    out.append(text(left + (width - 130) / 2, top + height + 40, "addresses in the list", "middle", "soft"))
    labels = []
    for key, style, name in (("floor_ns", "floor", "floor"), ("khien_ns", "khien", "Khiên"), ("lpm_ns", "lpm", "LPM trie")):
        for case in ("miss", "hit"):
            points = [(x_of(r["entries"]), y_of(r[key])) for r in sorted(rows, key=lambda r: r["entries"]) if r["case"] == case and r[key]]
            if not points or (key == "floor_ns" and case == "hit"):
                continue
            dash = ' stroke-dasharray="6 4"' if case == "miss" else ""
            out.append(f'<polyline class="line {style}"{dash} style="fill:none" points="' + " ".join(f"{x:.1f},{y:.1f}" for x, y in points) + '"/>')
            out += [f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in points]
            labels.append((points[-1][1], points[-1][0], f"{name} {case}" if key != "floor_ns" else name, style))
    previous = -100.0
    for y, x, words, style in sorted(labels):
        previous = max(y + 4, previous + 15)
        out.append(f'<text x="{x + 10:.1f}" y="{previous:.1f}" class="{style}" style="stroke:none">{escape(words)}</text>')
    return out


def live(rows, left, top, width, height):
    """Mpps at the longest list, as bars."""
    names = [("bare", "floor", "XDP drop, no look-up"), ("khien", "khien", "Khiên"), ("lpm", "lpm", "XDP, LPM trie"),
             ("ipset", "ipset", "ipset, iptables"), ("nft", "nft", "nftables")]
    out = []
    most = max((r["entries"] for r in rows), default=0)
    rows = {r["case"]: r for r in rows if r["entries"] == most}
    out.append(text(left, top - 28, f"Live traffic, one core, Mpps ({short(most)} addresses)", style="title"))
    out.append(text(left, top - 10, "generate, cross a veth pair, decide, drop", style="soft"))
    if not rows:
        return out + [text(left, top + 40, "not measured", style="soft")]
    high = max(r[n + "_mpps"] or 0 for r in rows.values() for n, _, _ in names)
    y = top + 8
    for case, title in (("hit", "every packet from a listed address"), ("miss", "no packet from a listed address")):
        if case not in rows:
            continue
        out.append(text(left, y + 6, title, style="soft"))
        y += 14
        for name, style, label in names:
            value = rows[case][name + "_mpps"]
            long = (value or 0) / high * (width - 190)
            out += [text(left + 132, y + 13, label, "end", "soft"),
                    f'<rect class="bar {style}" x="{left + 140}" y="{y}" width="{max(long, 1):.1f}" height="17" rx="2" style="stroke:none"/>',
                    text(left + 146 + long, y + 13, f"{value:.2f}" if value else "left out", style="soft")]
            y += 25
        y += 18
    return out


def picture(result):
    machine = result["machine"]
    words = f"{machine.get('processor', '?')}, {machine['cores']} cores, Linux {machine['kernel']}; medians, the contenders in turn"
    parts = growth(result["lookup"], 60, 60, 460, 290) + live(result["live"], 540, 60, 390, 290) + [text(60, HEIGHT - 8, words, style="soft")]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img">'
            f"<title>Khiên: cost of a look-up and live traffic</title><style>{STYLE}</style>" + "\n".join(parts) + "</svg>\n")
