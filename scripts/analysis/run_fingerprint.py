"""The fingerprint by which runs are compared, for the scripts that disturb runs."""

import hashlib
import json
import os


def fingerprint(run):
    """Digests of a run's results: the best model's files, and the numbers of every epoch."""
    with open(os.path.join(run, "best.json")) as file:
        folder = os.path.join(run, json.load(file)["folder"])
    digests = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            digests[name] = hashlib.sha256(file.read()).hexdigest()[:16]
    with open(os.path.join(run, "metrics.jsonl")) as file:
        for line in file:
            epoch = json.loads(line)
            del epoch["seconds"]
            numbers = json.dumps(epoch, sort_keys=True).encode()
            digests[f"epoch {epoch['epoch']}"] = hashlib.sha256(numbers).hexdigest()[:16]
    return digests
