"""Studies of modalities: items that lack some, each modality alone, and graphs of similar items.

Tables have means and standard deviations over seeds, not effects: what is compared are data, not
configurations of one objective."""

import statistics

from study_report import heading, name_of, table
from study_runs import Failure, summary_of

# Shares of items that lose a modality, each modality by itself.
RATES = [0, 0.1, 0.3, 0.5]
# Nearest items in the graphs of similar items.
NEIGHBOURS = [5, 10, 15, 20]
SEEDS = [11, 12, 13]
METRICS = ["recall@10", "ndcg@10", "recall@20", "ndcg@20"]

# What each study trains if no models are named.
MODELS = {
    "missing": ["vbpr", "freedom", "mgcn", "viral", "cohesion", "mentor", "bm3",
                "itemknn_content", "pop"],
    "vision": ["viral", "freedom", "vbpr", "cohesion", "mentor"],
    "neighbours": ["viral", "freedom", "mgcn", "cohesion", "mentor"],
}
# Models that MRdIB has no place in.
PLAIN_ONLY = {"bpr", "lightgcn", "grcn", "pop", "itemknn_content"}
# VIRAL's own variants, as docs/VIRAL.md names them.
FUSION = {"both": {}, "concat": {"fusion": "concat"}, "text only": {"fusion": "text_only"},
          "vision only": {"fusion": "visual_only"}}


def missing(study, sides):
    """Quality over the share of items that lost a modality."""
    options = study.options

    def settings(side, rate):
        if rate == 0:
            return {"metric_groups": True}
        fill = options.missing if side == "plain" else options.missing_mrdib
        return {"metric_groups": True, "missing_rate": rate, "missing": fill}
    # Rate 0 first and once: the others are measured against it.
    rates = list(dict.fromkeys([0, *options.rates]))
    found = plan(study, sides, {share(rate): lambda side, _, rate=rate: settings(side, rate)
                                for rate in rates})
    rows = measured(study, found)
    lines = []
    for metric in METRICS:
        lines += [f"## {heading(metric)} on test", ""] + table(
            ["data", "model", "objective"] + [f"{share(rate)} missing" for rate in rates],
            [[row["data"], row["model"], row["side"]]
             + [text(cell, row["cells"][share(rates[0])], metric)
                for cell in row["cells"].values()] for row in rows]) + [""]
    lines += ["## By what items have: Recall@20 of the held-out items with all, some and no "
              "modalities", ""] + group_table(rows) + [""]
    lines += [
        f"Mean ± standard deviation over seeds ({count_text(rows)}); in brackets the change "
        "against all modalities. Each item loses each modality by itself, with this probability; "
        "seeds remove other items, and the items of a smaller share are among those of a greater "
        f"one. What stands in their rows: plain `{options.missing}`, with MRdIB "
        f"`{options.missing_mrdib}`."]
    study.write("missing", "Quality where items lack modalities", lines,
                {"rows": rows, "rates": rates, "missing": options.missing,
                 "missing_mrdib": options.missing_mrdib})


def vision(study, sides):
    """Text alone, vision alone and both, and what each adds."""
    def variants(data, model):
        if model == "viral":
            named = {key: value for key, value in
                     [("vision_feature", study.options.vision),
                      ("text_feature", study.options.text)] if value}
            return {name: {**named, **fusion} for name, fusion in FUSION.items()}
        eye, text_file = eyes_and_text(study, data)
        return {"both": {"modalities": f"[{eye}, {text_file}]"},
                "text only": {"modalities": f"[{text_file}]"},
                "vision only": {"modalities": f"[{eye}]"}}
    found = plan(study, sides, {name: lambda _, case, name=name: variants(*case).get(name)
                                for name in FUSION})
    rows = measured(study, found)
    for row in rows:
        row["contributions"] = {metric: contributions(row, metric) for metric in METRICS}
    lines = []
    for metric in METRICS:
        lines += [f"## {heading(metric)} on test", ""] + table(
            ["data", "model", "objective", *FUSION, "vision adds to text", "text adds to vision",
             "share of vision"],
            [[row["data"], row["model"], row["side"]]
             + [text(row["cells"].get(name), None, metric) for name in FUSION]
             + [spread_text(row["contributions"][metric][name], "percent")
                for name in ("vision", "text", "share")] for row in rows]) + [""]
    lines += [
        f"Mean ± standard deviation over seeds ({count_text(rows)}), of shares over the seeds' own "
        "shares. Vision adds (both − text only) / text only, text adds (both − vision only) / "
        "vision only, and the share of vision is (both − text only) / both. VIRAL's vision embeds "
        "the title, too: part of its share is text. `concat` is VIRAL without its fusion."]
    study.write("vision", "What vision contributes", lines, {"rows": rows})


def neighbours(study, sides):
    """Quality over the number of nearest items."""
    counts = study.options.counts
    found = plan(study, sides, {str(count): lambda *_, count=count: {"knn_k": count}
                                for count in counts})
    rows = measured(study, found)
    lines = []
    for metric in METRICS:
        lines += [f"## {heading(metric)} on test", ""] + table(
            ["data", "model", "objective"] + [f"{count} nearest" for count in counts],
            [[row["data"], row["model"], row["side"]]
             + [text(row["cells"].get(str(count)), None, metric) for count in counts]
             for row in rows]) + [""]
    lines += [f"Mean ± standard deviation over seeds ({count_text(rows)}), all other settings as "
              "they are."]
    study.write("neighbours", "Quality over the number of nearest items", lines, {"rows": rows})


STUDIES = {"missing": missing, "vision": vision, "neighbours": neighbours}


def plan(study, sides, settings):
    """Trains every data set, model and side with each of the settings, and returns the variants by
    (data, model, side) and name. settings: by name, a function of the side's name and of (data,
    model); None where a model has no such variant."""
    found = {}
    for data in study.data:
        for model in study.options.models:
            for side in study.options.sides:
                if side != "plain" and model in PLAIN_ONLY:
                    continue
                own = {name: make(side, (data, model)) for name, make in settings.items()}
                found[data, model, side] = {
                    name: study.variant(name, {**sides[side], **values}, model)
                    for name, values in own.items() if values is not None}
    # One call for all, so that seeds are the outer loop.
    merged = {}
    for (data, model, _), variants in found.items():
        merged.setdefault((data, model), []).extend(variants.values())
    study.train([(data, model, variants) for (data, model), variants in merged.items()])
    return found


def measured(study, found):
    """A row per data set, model and side: by variant the metrics of each seed and their spread."""
    rows = []
    for (data, model, side), variants in found.items():
        cells = {}
        for name, variant in variants.items():
            runs = study.runs.finished(data, model, variant, study.seeds(model))
            if runs:
                cells[name] = cell({seed: summary_of(folder) for seed, folder in runs.items()})
        if len(cells) == len(variants):
            rows.append({"data": name_of(data), "model": model, "side": side, "cells": cells})
        else:
            study.notes.append(f"{name_of(data)}, {model} {side} is left out: not all of its runs "
                               "have a result")
    return rows


def cell(summaries):
    """Metrics by seed with their spread, and the same of the groups of items by modalities."""
    groups = {}
    for seed, summary in summaries.items():
        for group in (summary.get("groups") or {}).get("test", []):
            if group["kind"] == "modalities":
                key = (group["fewest"], group["most"])
                groups.setdefault(key, {})[seed] = group
    return {
        "metrics": {metric: spread({seed: summary["test"].get(metric)
                                    for seed, summary in summaries.items()})
                    for metric in METRICS},
        "groups": [{"fewest": fewest, "most": most,
                    "users": statistics.mean(group["users"] for group in by_seed.values()),
                    "metrics": {metric: spread({seed: group["metrics"].get(metric)
                                                for seed, group in by_seed.items()})
                                for metric in METRICS}}
                   for (fewest, most), by_seed in sorted(groups.items())]}


def spread(by_seed):
    """Mean and sample standard deviation of what is there; the deviation of one value is None."""
    values = {seed: value for seed, value in by_seed.items() if value is not None}
    return {"mean": statistics.mean(values.values()) if values else None,
            "deviation": statistics.stdev(values.values()) if len(values) > 1 else None,
            "runs": len(values), "by_seed": values}


def contributions(row, metric):
    """What vision and text add, and the share of vision, paired by seed."""
    def values(name):
        return row["cells"][name]["metrics"][metric]["by_seed"]
    both, own_text, own_vision = values("both"), values("text only"), values("vision only")
    seeds = [seed for seed in both if own_text.get(seed) and own_vision.get(seed) and both[seed]]
    return {"vision": spread({seed: both[seed] / own_text[seed] - 1 for seed in seeds}),
            "text": spread({seed: both[seed] / own_vision[seed] - 1 for seed in seeds}),
            "share": spread({seed: (both[seed] - own_text[seed]) / both[seed] for seed in seeds})}


def eyes_and_text(study, data):
    """What the setting 'modalities' says of vision and of text, as NAME:FILE."""
    files = study.modality_files(data)
    names = list(files)
    chosen_text = study.options.text or ("text" if "text" in files else None)
    usual = [name for name in ("vlm", "visual", *names) if name in files and name != chosen_text]
    chosen_vision = study.options.vision or (usual[0] if usual else None)
    chosen_text = chosen_text or next((name for name in names if name != chosen_vision), None)
    for name, option in ((chosen_vision, "--vision"), (chosen_text, "--text")):
        if name not in files:
            raise Failure(f"'{data}' has the modalities {', '.join(names)}, and two are needed: "
                          f"name one with {option}")
    return (f"{chosen_vision}:{files[chosen_vision]}", f"{chosen_text}:{files[chosen_text]}")


# Text.

def share(rate):
    return f"{100 * rate:g} %"


def spread_text(one, form="number"):
    """'0.1234 ± 0.0010', or in percent."""
    if one["mean"] is None:
        return "–"
    factor, digits, unit = (100, "+.1f", " %") if form == "percent" else (1, ".4f", "")
    mean = f"{factor * one['mean']:{digits}}"
    deviation = ("" if one["deviation"] is None
                 else f" ± {factor * one['deviation']:{digits.lstrip('+')}}")
    return mean + deviation + unit


def text(one, base, metric):
    """A cell of a table; base: what its change is against, nothing for the base itself."""
    if one is None:
        return "–"
    own = one["metrics"][metric]
    shown = spread_text(own)
    if base is None or base is one or not base["metrics"][metric]["mean"] or own["mean"] is None:
        return shown
    return f"{shown} ({100 * (own['mean'] / base['metrics'][metric]['mean'] - 1):+.1f} %)"


def group_table(rows):
    """One line per row, share and group: all, some and no modalities."""
    lines = []
    for row in rows:
        for name, one in row["cells"].items():
            for group in one["groups"]:
                number = str(group["fewest"])
                if group["most"] > group["fewest"]:
                    number += f" to {group['most']}"
                lines.append([row["data"], row["model"], row["side"], name, number,
                              f"{group['users']:.0f}",
                              spread_text(group["metrics"]["recall@20"]),
                              spread_text(group["metrics"]["ndcg@20"])])
    return table(["data", "model", "objective", "missing", "modalities of the items", "users",
                  "Recall@20", "NDCG@20"], lines)


def count_text(rows):
    counts = sorted({one["metrics"]["recall@20"]["runs"]
                     for row in rows for one in row["cells"].values()})
    return " or ".join(map(str, counts)) or "none"
