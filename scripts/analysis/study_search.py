"""The same small search on both sides of a comparison: settings chosen by mean validation."""

import statistics

from study_report import distinct, name_of, table, text
from study_runs import summary_of


class Search:
    """A search for one side on one data set: the default and the values of a grid."""

    def __init__(self, data, model, side, values):
        """side: the variant with its defaults. values: (setting, value, variant)."""
        self.data, self.model, self.side, self.values = data, model, side, values
        self.candidates = distinct([side] + [variant for _, _, variant in values])
        self.chosen, self.scores, self.notes = side, {}, []

    def choose(self, runs, seeds):
        """Chooses the highest mean of the selection metric on validation over all seeds; of equal
        ones the default. What has no result with one of the seeds is not chosen."""
        for variant in self.candidates:
            found = runs.finished(self.data, self.model, variant, seeds)
            if len(found) == len(seeds):
                self.scores[variant.folder] = statistics.mean(map(valid_score, found.values()))
        self.chosen = max(self.candidates,
                          key=lambda variant: self.scores.get(variant.folder, float("-inf")))
        where = f"{name_of(self.data)}, {self.model}, {self.side.name}"
        if len(self.scores) < len(self.candidates):
            self.notes.append(f"{where}: {len(self.scores)} of {len(self.candidates)} settings of "
                              "the search have a result with each of its seeds")
        for key in dict.fromkeys(key for key, _, _ in self.values):
            grid = sorted(((value, variant.folder) for own, value, variant in self.values
                           if own == key), key=lambda point: point[0])
            # Nothing is below 0.
            ends = [folder for value, folder in (grid[0], grid[-1]) if value != 0]
            if self.chosen.folder in ends:
                self.notes.append(f"{where}: the chosen {key} is at an end of the grid; a better "
                                  "one may be outside")

    def label(self, variant):
        """'reg_weight 1', with the mark of the default."""
        names = [f"{key} {text(value)}" for key, value, own in self.values
                 if own.folder == variant.folder]
        if variant.folder != self.side.folder:
            return names[0]
        return f"{names[0]} (default)" if names else "defaults"

    @property
    def content(self):
        """The search for a JSON file."""
        return {"data": name_of(self.data), "model": self.model, "side": self.side.name,
                "chosen": self.label(self.chosen), "chosen_settings": self.chosen.settings,
                "valid": {self.label(variant): self.scores.get(variant.folder)
                          for variant in self.candidates}}


def valid_score(run):
    """The selection metric on validation of a finished run's best epoch."""
    summary = summary_of(run)
    return summary["valid"][summary["selection"]["metric"].split(".")[1]]


def search_table(searches, seeds):
    """What was tried for each side, and what was chosen."""
    rows = []
    for search in searches.values():
        content = search.content
        tried = ", ".join(f"{label}: " + ("–" if score is None else f"{score:.4f}")
                          for label, score in content["valid"].items())
        rows.append([content["data"], content["model"], content["side"], tried, content["chosen"]])
    return table(["data", "model", "side", "mean validation metric", "chosen"], rows) + [
        "", "The same values on both sides, chosen by the mean of the selection metric on "
        f"validation over seeds {', '.join(map(str, seeds))}; the tables have other seeds."]
