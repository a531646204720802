"""table.py RESULTS: what `peers` measured, as a table in Markdown. A ratio is of two measurements taken in turn."""

import json
import os
import statistics
import sys

results = sys.argv[1]


def rows(group):
    """The results of a group by name, in the order in which they were measured."""
    named = {}
    path = os.path.join(results, group + ".jsonl")
    for line in open(path) if os.path.exists(path) else []:
        row = json.loads(line)
        if row.get("producer"):
            # By the producer's own clock: the meter's begins after the key that starts the step.
            row["rate"] = row["lines"] * 100 / row["producer"]["wall_s"] / 1e6
        named.setdefault(row.get("name") or row.get("tool") or "relight", []).append(row)
    return named


def values(measured, field):
    found = []
    for row in measured:
        for part in field.split("."):
            row = row.get(part) if isinstance(row, dict) else None
        if isinstance(row, (int, float)):
            found.append(float(row))
    return found


def number(value):
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def spread(found):
    if not found:
        return "-"
    middle, least, most = statistics.median(found), min(found), max(found)
    return number(middle) if least == most else f"{number(middle)} ({number(least)}-{number(most)})"


def line(*cells):
    print("| " + " | ".join(cells) + " |")


def compare(group, what, budget, field, ours, peers):
    """One row for each peer, or one without if there is none."""
    named = rows(group)
    mine = values(named.get(ours, []), field)
    if not mine:
        return
    if not peers:
        line(what, budget, spread(mine), "", "")
    for peer in peers:
        theirs = values(named.get(peer, []), field)
        if theirs:
            ratio = [a / b for a, b in zip(mine, theirs) if b]
            line(what, budget, spread(mine), f"{peer.split('@')[0]} {spread(theirs)}", spread(ratio))


def ways_out():
    """The last one measured of each program; there is nothing to pair."""
    named = {name: measured[-1] for name, measured in rows("exit").items()}
    for way in (key for key, seen in named.get("relight", {}).items() if isinstance(seen, dict)):
        budget = "clean exit ≤ 1 s" if way == "hangup" else "restored ≤ 100 ms"
        line(f"way out: {way}", budget, way_out(named["relight"][way]), *(
            f"{name}: {way_out(row[way])}" for name, row in named.items() if name != "relight" and way in row), "")


def way_out(seen):
    told = f"{seen['status']} after {seen['exited_ms']} ms"
    if "restored" in seen:
        told += ", restored" if seen["restored"] else f", left on: {' '.join(seen['left_on'])}"
    return told


def sweeps():
    """Our sweeps tell themselves when the last answer came; the fake counts what it sent."""
    path = os.path.join(results, "sweeps.txt")
    told = [text.split() for text in open(path)] if os.path.exists(path) else []
    if told:
        # "950 of 1000 answered, the last after 27.1 ms, sweep 1001.9 ms"
        line("sweep of 1,000 resolvers: live ones answered, of 950", "all, in 20 of 20 runs", f"{spread([float(t[0]) for t in told])} in {len(told)} runs", "", "")
        line("… last live answer, ms", "≤ 60 (3 × RTT)", spread([float(t[7]) for t in told]), "", "")
        line("… whole sweep, ms", "≤ 1,050", spread([float(t[10]) for t in told]), "", "")
    for row in rows("dns").values():
        line("… CPU, s", "≤ 0.1", spread([r["cpu_s"] for r in row]), "", "")
    pairs = rows("dns-pairs")
    mine, theirs = pairs.get("relight", []), pairs.get("dnsglobe", [])
    for what, of in (("wall s", lambda r: r["wall_s"][1]), ("CPU s", lambda r: r["cpu_s"]), ("answers sent", lambda r: r["answers"])):
        if mine and theirs:
            a, b = [of(r) for r in mine], [of(r) for r in theirs]
            line(f"… {what}", "", spread(a), f"dnsglobe {spread(b)}", spread([x / y for x, y in zip(a, b) if y]))


line("what", "budget", "relight", "peer", "ratio, pair by pair")
line("---", "---", "---", "---", "---")
for size in ("200x50", "80x24"):
    one = lambda *peers: [f"{peer}@{size}" for peer in peers]
    what = f"start to first frame, {size}, ms"
    compare("start", what, "≤ 1.5", "first_frame_ms.p50", f"relight@{size}", one("hello_ratatui"))
    compare("start", what, "≤ 0.5", "first_frame_ms.p50", f"relight@{size}", one("btm"))
    compare("start", f"terminal queries, {size}", "0", "queries", f"relight@{size}", [])
compare("pods", "1,000 pods on screen, ms", "≤ 0.15", "expect_ms.p50", "relight", ["kubetui"])
compare("idle", "idle: bytes/s", "≤ 200", "bytes_per_s", "relight", ["idle_tokio", "btm"])
compare("idle", "idle: writes/s", "1", "reads_per_s", "relight", ["btm"])
compare("idle", "idle: CPU %", "≤ 0.25", "cpu_pct", "relight", ["btm"])
compare("idle", "idle: wake-ups/s", "≤ 10", "vol_ctxt_per_s", "relight", ["idle_tokio", "btm"])
compare("idle", "idle: memory, MiB", "≤ 24", "hwm_mib", "relight", ["btm"])
compare("keys", "key to settled screen, p50 ms", "≤ 2", "settled_ms.p50", "relight", ["idle_tokio"])
compare("keys", "key to settled screen, p99 ms", "≤ 20 ms", "settled_ms.p99", "relight", ["idle_tokio"])
compare("keys", "help overlay, p50 ms", "≤ 2", "settled_ms.p50", "relight-help", ["idle_tokio", "btm-help"])
compare("keys", "help overlay, p99 ms", "≤ 20 ms", "settled_ms.p99", "relight-help", ["btm-help"])
compare("resize", "resize storm: settled after the last, ms", "≤ 20 ms", "settle_after_last_ms", "relight", ["idle_tokio", "btm"])
compare("resize", "resize storm: bytes", "coalesced", "bytes_during", "relight", ["idle_tokio", "btm"])
compare("stall", "stalled 10 s: growth, MiB", "flat", "pss_growth_mib", "relight", ["idle_tokio"])
compare("stall", "stalled 10 s: backlog, bytes", "one frame", "backlog_bytes", "relight", ["idle_tokio"])
for where, title in (("crowd", "10,000 pods, 100 updates/s"), ("real", "10,000 pods, 100 updates/s, real API server")):
    compare(where, f"{title}: CPU %", "≤ 0.03", "cpu_pct", "relight", ["kubetui"])
    compare(where, f"{title}: CPU %", "≤ 0.5", "cpu_pct", "relight", ["kubectl"])
    compare(where, f"{title}: memory, MiB", "≤ 48", "hwm_mib", "relight", ["kubetui", "kubectl"])
    compare(where, f"{title}: bytes/s", "", "bytes_per_s", "relight", ["kubetui"])
    compare(f"{where}-keys", f"{title}: key, p50 ms", "≤ 2", "settled_ms.p50", "relight", ["idle_tokio", "kubetui"])
    compare(f"{where}-keys", f"{title}: key, p99 ms", "≤ 20 ms", "settled_ms.p99", "relight", ["kubetui"])
    compare(f"{where}-lag", f"{title}: change on screen, p50 ms", "", "lag_ms.p50", "relight", [])
    compare(f"{where}-lag", f"{title}: change on screen, p99 ms", "≤ 250", "lag_ms.p99", "relight", [])
compare("flood", "step printing 1 GB in the cockpit, MB/s", "≥ 5", "rate", "relight", ["tmux"])
compare("flood", "… to the terminal, bytes/s", "≤ 64,000", "term_bytes_per_s", "relight", ["tmux"])
compare("flood", "… key, p99 ms", "≤ 20 ms", "key_ms.p99", "relight", ["tmux"])
compare("flood", "… memory, cockpit and runner, MiB", "≤ 48 each", "hwm_mib_wo_gen", "relight", ["tmux"])
compare("flood", "… on a 64 KB/s link: key, p99 ms", "≤ 100 ms", "key_ms.p99", "relight-link64k", ["tmux-link64k"])
ways_out()
sweeps()
