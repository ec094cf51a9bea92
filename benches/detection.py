"""Runs `redrover evaluate` over a folder of labelled series and prints how well trouble was found. See detection.sh."""

import csv
import gzip
import os
import subprocess
import sys
import tempfile

# Rows so near to an event, in seconds, are neither right nor wrong.
BEFORE, AFTER = 15 * 60, 30 * 60


def read(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", newline="") as file:
        rows = list(csv.reader(file))
    return rows[0], rows[1:]


def write(path, heading, rows):
    """Writes a file without labels; returns them."""
    label = heading.index("label") if "label" in heading else None
    keep = [place for place in range(len(heading)) if place != label]
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([[row[place] for place in keep] for row in [heading, *rows]])
    return [label is not None and float(row[label]) == 1 for row in rows]


def events(labels):
    found, begin = [], None
    for place, label in enumerate([*labels, False]):
        if label and begin is None:
            begin = place
        elif not label and begin is not None:
            found.append((begin, place))
            begin = None
    return found


def hours(labels, period):
    """The clock hour of each normal row; None where it does not count."""
    counts = [not label for label in labels]
    for begin, end in events(labels):
        first, last = max(0, begin - BEFORE // period), min(len(labels), end + AFTER // period)
        counts[first:last] = [False] * (last - first)
    return [place * period // 3600 if counts[place] else None for place in range(len(labels))]


def false_alarms(alarms, hour, period):
    days = sum(h is not None for h in hour) * period / 86400
    return len({h for h, alarm in zip(hour, alarms) if alarm and h is not None}) / days if days else 0.0


def areas(scores, labels):
    """The area below the ROC curve, and the average precision; equal scores count together."""
    order = sorted(range(len(scores)), key=lambda place: -scores[place])
    positives = sum(labels)
    negatives = len(labels) - positives
    if not positives or not negatives:
        return float("nan"), float("nan")
    auc = ap = true = false = 0
    place = 0
    while place < len(order):
        end, hits = place, 0
        while end < len(order) and scores[order[end]] == scores[order[place]]:
            hits += labels[order[end]]
            end += 1
        misses = end - place - hits
        auc += misses * (true + hits / 2)
        true, false = true + hits, false + misses
        ap += hits / positives * true / (true + false)
        place = end
    return auc / positives / negatives, ap


def sensitive(scores, hour, period):
    """The most sensitive limit with at most one false-alarm hour a day."""
    highest = {}
    for h, score in zip(hour, scores):
        if h is not None:
            highest[h] = max(score, highest.get(h, score))
    allowed = int(sum(h is not None for h in hour) * period / 86400)
    ranked = sorted(highest.values(), reverse=True)
    return ranked[allowed] if allowed < len(ranked) else float("-inf")


def judge(folder, pairs, command, period):
    sums = {"auc": [], "ap": [], "own": [], "found_fixed": 0, "found_own": 0, "events": 0}
    for train, test in pairs:
        names = [os.path.join(folder, name) for name in ("train.csv", "test.csv", "out.csv")]
        write(names[0], *read(train))
        labels = write(names[1], *read(test))
        subprocess.run([*command, "--train", names[0], "--test", names[1], "--out", names[2]], check=True)
        heading, rows = read(names[2])
        scores = [float(row[heading.index("score")]) for row in rows]
        alarms = [row[heading.index("alarm")] == "1" for row in rows]
        hour = hours(labels, period)
        limit = sensitive(scores, hour, period)
        auc, ap = areas(scores, labels)
        sums["auc"].append(auc)
        sums["ap"].append(ap)
        sums["own"].append(false_alarms(alarms, hour, period))
        for begin, end in events(labels):
            sums["events"] += 1
            sums["found_fixed"] += max(scores[begin:end]) > limit
            sums["found_own"] += any(alarms[begin:end])
    return sums


def main():
    binary, folder, period, *flags = sys.argv[1:]
    trains = sorted(name for name in os.listdir(folder) if ".train.csv" in name)
    pairs = [tuple(os.path.join(folder, name.replace(".train.", f".{part}.")) for part in ("train", "test")) for name in trains]
    if not pairs:
        sys.exit(f"{folder} holds no NAME.train.csv")
    print(f"{len(pairs)} series of {folder}")
    print(f"{'method':26} {'AUC':>6} {'AP':>6} {'R@1':>6}   own: false-alarm hours a day, events found")
    for name, more in [
        ("redrover, seed 1", ["--seed", "1"]),
        ("redrover, seed 2", ["--seed", "2"]),
        ("plain forest, seed 1", ["--plain", "--seed", "1"]),
        ("plain forest, seed 2", ["--plain", "--seed", "2"]),
    ]:
        with tempfile.TemporaryDirectory() as room:
            command = [binary, "evaluate", "--period-seconds", period, *more, *flags]
            sums = judge(room, pairs, command, int(period))
        mean = lambda key: sum(sums[key]) / len(sums[key])
        share = lambda key: sums[key] / max(sums["events"], 1)
        print(
            f"{name:26} {mean('auc'):6.3f} {mean('ap'):6.3f} {share('found_fixed'):6.2f}   "
            f"{mean('own'):.2f} (worst {max(sums['own']):.1f}), {sums['found_own']} of {sums['events']}"
        )


main()
