"""Compares what a model learned on a generated data set with the planted information.

usage: python3 scripts/analysis/planted-truth.py DATA RUN [RUN ...]      (needs numpy)

DATA is a folder made by 'mrdib data generate', a RUN a directory of 'mrdib train' with model vbpr on it.
For each run, from the best epoch's parameters:

  redundancy   information in nats that samples z of the two modalities share, taken as Gaussian over the items:
               1/2 ln(det C_v det C_t / det C), C = covariance of mu plus the encoders' mean variance. Without
               encoders (plain) nothing is added, and the figure is nearly that of the features themselves.
  share        part of the variance of the item vectors that comes from each planted component's columns
               (shared, unique, synergy, noise), per modality; a column is a column of the features.
"""
import json
import os
import struct
import sys

import numpy as np


def safetensors(path):
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(length))
        data = file.read()
    header.pop("__metadata__")
    return {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])
        for name, entry in header.items()
    }


def gaussian_information(left, right, left_noise=0.0, right_noise=0.0):
    """Mutual information of two sets of jointly Gaussian columns with independent noise added, in nats."""
    columns = np.hstack([left, right])
    covariance = np.cov(columns.T)
    noise = np.concatenate([np.broadcast_to(left_noise, left.shape[1]), np.broadcast_to(right_noise, right.shape[1])])
    covariance += np.diag(noise + 1e-9 * np.trace(covariance) / len(covariance))
    k = left.shape[1]
    parts = [np.linalg.slogdet(m)[1] for m in (covariance[:k, :k], covariance[k:, k:], covariance)]
    return 0.5 * (parts[0] + parts[1] - parts[2])


def mean_variance(parameters, modality, means):
    """Mean over items of the encoder's variance, per dimension; 0 without an encoder."""
    weight = parameters.get(f"mrdib.{modality}.logvar.weight")
    if weight is None:
        return 0.0
    bias = parameters[f"mrdib.{modality}.logvar.bias"]
    return np.exp(np.clip(means @ weight.T.astype(np.float64) + bias, -20, 0)).mean(0)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    data, runs = sys.argv[1], sys.argv[2:]
    truth = json.load(open(os.path.join(data, "truth.json")))
    features = {
        "visual": np.load(os.path.join(data, "image_feat.npy")).astype(np.float64),
        "text": np.load(os.path.join(data, "text_feat.npy")).astype(np.float64),
    }
    columns = {"visual": truth["visualColumns"], "text": truth["textColumns"]}
    print(f"planted information shared by the features\t{truth['mutualInformationNats']:.3f} nats")
    measured = gaussian_information(features["visual"], features["text"])
    print(f"measured on the features (includes chance: {len(features['text'])} items)\t{measured:.3f} nats")
    print("run\tredundancy\t" + "\t".join(
        f"{modality}.{component}" for modality in features for component in ("shared", "unique", "synergy", "noise")))
    for run in runs:
        best = json.load(open(os.path.join(run, "best.json")))
        parameters = safetensors(os.path.join(run, best["folder"], "parameters.safetensors"))
        weight = parameters["projection.weight"].astype(np.float64)
        # The last modality's columns come first.
        split = features["text"].shape[1]
        weights = {"text": weight[:, :split], "visual": weight[:, split:]}
        means = {m: features[m] @ weights[m].T for m in features}
        row = [os.path.basename(os.path.normpath(run)),
               f"{gaussian_information(*means.values(), *(mean_variance(parameters, m, means[m]) for m in means)):.3f}"]
        for modality, matrix in features.items():
            energy = {}
            for component, span in columns[modality].items():
                part = slice(span["start"], span["end"])
                centred = matrix[:, part] - matrix[:, part].mean(0)
                energy[component] = float(((centred @ weights[modality][:, part].T) ** 2).sum())
            total = sum(energy.values())
            row += [f"{energy[c] / total:.3f}" for c in ("shared", "unique", "synergy", "noise")]
        print("\t".join(row))


main()
