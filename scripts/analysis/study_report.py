"""Numbers and tables of a study: effects as 'mrdib compare' reports them, Markdown, JSON."""

import collections
import csv
import glob
import os

from study_runs import Failure


def effect(row, metric):
    """The entry of one configuration and metric in a report of 'mrdib compare'."""
    value, found = row["values"].get(metric, {}), row["differences"].get(metric, {})
    interval = found.get("relative_gain_interval") or {}
    return {"mean": value.get("mean"), "deviation": value.get("deviation"),
            "runs": value.get("count"), "gain": found.get("relative_gain"),
            "low": interval.get("lower"), "high": interval.get("upper"),
            "p": found.get("t_test_p_value"), "holm_p": None,
            "paired_seeds": found.get("paired_seeds"), "users": found.get("user_count")}


def correct_over_table(effects):
    """Holm's correction of the t-tests of a whole table (Holm 1979); sets 'holm_p' and returns how
    many tests there are. 'mrdib compare' corrects within one of its reports."""
    tested = sorted((one for one in effects if one["p"] is not None), key=lambda one: one["p"])
    largest = 0.0
    for rank, one in enumerate(tested):
        largest = max(largest, min(1.0, (len(tested) - rank) * one["p"]))
        one["holm_p"] = largest
    return len(tested)


def change(one):
    """'(+1.2 % [+0.3, +2.1], p .013)' of an effect."""
    if one["gain"] is None:
        return "(baseline)"
    interval = "" if one["low"] is None else f" [{100 * one['low']:+.1f}, {100 * one['high']:+.1f}]"
    p = "" if one["holm_p"] is None else f", p {one['holm_p']:.2g}"
    return f"({percent(one['gain'])}{interval}{p})"


def legend(tests):
    return ("In brackets: relative change, 95 % interval over users and seeds, and p-value of a "
            f"paired t-test over users after Holm's correction for the table's {tests} tests.")


def group_table(report):
    """Question 9 as 'mrdib compare --groups' reports it: one row per group, a column per metric."""
    entries = [entry for entry in ((report or {}).get("groups") or {}).get("entries", [])
               if entry.get("difference")]
    rows = {}
    for entry in entries:
        group = entry["group"]
        name = f"{group['kind']} with {group['fewest']} to {group['most']}"
        one = effect({"values": {}, "differences": {"": entry["difference"]}}, "")
        one["holm_p"] = entry["difference"].get("t_test_holm_p_value")
        rows.setdefault((name, entry["user_count"]), {})[entry["metric"]] = (
            f"{entry['baseline_mean']:.4f} → {entry['mean']:.4f} {change(one)}")
    metrics = list(dict.fromkeys(entry["metric"] for entry in entries))
    return table(["training interactions", "users"] + [heading(metric) for metric in metrics],
                 [[*key, *(cells.get(metric, "–") for metric in metrics)]
                  for key, cells in rows.items()]) + [""]


def table(header, rows):
    cells = [[str(cell) for cell in row] for row in [header, ["---"] * len(header)] + list(rows)]
    return ["| " + " | ".join(row) + " |" for row in cells]


def percent(value):
    return "–" if value is None else f"{100 * value:+.1f} %"


def point(name, one):
    """A point of a curve: an effect in percent with its interval; the baseline is at 0."""
    return (name, *(None if value is None else 100 * value
                    for value in (one["gain"] or 0.0, one["low"], one["high"])))


def distinct(variants):
    """The first variant of each configuration."""
    result = {}
    for variant in variants:
        result.setdefault(variant.folder, variant)
    return list(result.values())


def is_same(value, stored):
    """Whether a setting of the plan has the value that the program resolved."""
    try:
        return float(value) == float(stored)
    except (TypeError, ValueError):
        return str(value).lower() == str(stored).lower()


def heading(metric):
    name, cutoff = metric.split("@")
    return f"{name.upper() if name in ('ndcg', 'map') else name.capitalize()}@{cutoff}"


def text(value):
    return "∞" if value == 1000000 else str(value)


def name_of(data):
    return os.path.basename(os.path.normpath(data))


def train_counts(data):
    """Training interactions of each item, from the data set's table."""
    found = glob.glob(os.path.join(data, "*.inter"))
    if not found:
        raise Failure(f"'{data}' has no .inter file, so the popularity of items is not known")
    counts = collections.Counter()
    with open(found[0], encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row.get("x_label") == "0":
                counts[int(row["itemID"])] += 1
    return counts


def store(path, content):
    """Writes a whole file under a temporary name first."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(content)
    os.replace(path + ".new", path)
