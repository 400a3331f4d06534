"""Epochs of a model of implicit, Cornac or PyTorch on a data set in MMRec's layout.

usage: bench_python_steps.py DATA LIBRARY MODEL EPOCHS THREADS

Prints one line of JSON: the seconds of each epoch but the first, and the library's version. Started
by bench_python.py in an environment that has the libraries."""

import glob
import importlib.metadata
import json
import os
import sys
import time

import numpy as np
import scipy.sparse as sparse

BATCH, WIDTH, RATE = 2048, 64, 1e-3


class Data:
    """The training interactions and the features."""

    def __init__(self, folder):
        path, = glob.glob(os.path.join(folder, "*.inter"))
        with open(path, encoding="utf-8") as file:
            names = [name.split(":")[0] for name in file.readline().rstrip("\n").split("\t")]
            columns = [next(names.index(name) for name in choice if name in names)
                       for choice in [("userID", "user_id"), ("itemID", "item_id"), ("x_label",)]]
            table = np.loadtxt(file, delimiter="\t", usecols=columns, dtype=np.int64)
        self.user_count, self.item_count = table[:, 0].max() + 1, table[:, 1].max() + 1
        train = table[table[:, 2] == 0]
        self.users, self.items = train[:, 0], train[:, 1]
        self.features = [np.load(path, mmap_mode="r").astype(np.float32) for path in (
            os.path.join(folder, name) for name in ("image_feat.npy", "text_feat.npy"))
            if os.path.exists(path)]

    def matrix(self):
        ones = np.ones(len(self.users), dtype=np.float32)
        return sparse.csr_matrix((ones, (self.users, self.items)),
                                 shape=(self.user_count, self.item_count))


def implicit_epochs(data, model, epochs, threads):
    from implicit.cpu.bpr import BayesianPersonalizedRanking
    assert model == "bpr"
    bpr = BayesianPersonalizedRanking(factors=WIDTH, iterations=1, num_threads=threads,
                                      learning_rate=0.01, random_state=1)
    matrix = data.matrix()
    for _ in range(epochs + 1):
        # A fit of a fitted model continues it.
        begin = time.monotonic()
        bpr.fit(matrix, show_progress=False)
        yield time.monotonic() - begin


def cornac_epochs(data, model, epochs, threads):
    import cornac
    from cornac.data import Dataset, ImageModality
    triples = [(int(user), int(item), 1.0) for user, item in zip(data.users, data.items)]
    train = Dataset.from_uir(triples, seed=1)

    def seconds(count):
        if model == "bpr":
            fitted = cornac.models.BPR(k=WIDTH, max_iter=count, num_threads=threads,
                                       learning_rate=0.01, seed=1)
        else:
            features = np.concatenate(data.features, axis=1)
            train.add_modalities(item_image=ImageModality(
                features=features, ids=list(range(data.item_count)), normalized=True))
            train.item_image.build(id_map=train.iid_map)
            fitted = cornac.models.VBPR(k=WIDTH, k2=WIDTH, n_epochs=count, batch_size=BATCH,
                                        learning_rate=RATE, seed=1, verbose=False)
        begin = time.monotonic()
        fitted.fit(train)
        return time.monotonic() - begin

    yield seconds(1)
    # A fit has all its epochs and a preparation, which the difference of two fits does not contain.
    for _ in range(epochs):
        yield (seconds(5) - seconds(1)) / 4


class Triplets:
    """Shuffled batches with one uniform negative item each that the user does not have."""

    def __init__(self, data):
        self.data, self.random = data, np.random.default_rng(1)
        self.known = set(zip(data.users.tolist(), data.items.tolist()))

    def __iter__(self):
        import torch
        order = self.random.permutation(len(self.data.users))
        for start in range(0, len(order), BATCH):
            rows = order[start:start + BATCH]
            users, positives = self.data.users[rows], self.data.items[rows]
            negatives = self.random.integers(self.data.item_count, size=len(rows))
            for place, pair in enumerate(zip(users.tolist(), negatives.tolist())):
                while pair in self.known:
                    pair = (pair[0], int(self.random.integers(self.data.item_count)))
                negatives[place] = pair[1]
            yield tuple(torch.from_numpy(part) for part in (users, positives, negatives))


def ranking_loss(users, positives, negatives):
    import torch
    margin = (users * positives).sum(1) - (users * negatives).sum(1)
    return torch.nn.functional.softplus(-margin).mean()


def torch_epochs(data, model, epochs, threads):
    import torch
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    network = {"vbpr": VBPRStep, "lightgcn": LightGCNStep, "freedom": FREEDOMStep}[model](data)
    optimizer = torch.optim.Adam(network.parameters, lr=RATE)
    triplets = Triplets(data)
    for _ in range(epochs + 1):
        begin = time.monotonic()
        network.begin_epoch()
        for users, positives, negatives in triplets:
            optimizer.zero_grad()
            network.loss(users, positives, negatives).backward()
            optimizer.step()
        yield time.monotonic() - begin


class VBPRStep:
    """Ids and one linear map of all features; a score is the product of their concatenations."""

    def __init__(self, data):
        import torch
        self.features = torch.from_numpy(np.concatenate(data.features, axis=1))
        self.user = parameter(data.user_count, 2 * WIDTH)
        self.item = parameter(data.item_count, WIDTH)
        self.map = torch.nn.Linear(self.features.shape[1], WIDTH)
        self.parameters = [self.user, self.item, *self.map.parameters()]

    def begin_epoch(self):
        pass

    def loss(self, users, positives, negatives):
        import torch
        items = torch.cat([self.item, self.map(self.features)], dim=1)
        rows = self.user[users], items[positives], items[negatives]
        squares = sum(part.pow(2).sum() for part in rows) / len(users)
        return ranking_loss(*rows) + 1e-4 * squares


class LightGCNStep:
    """The mean of two propagations over the normalised graph of users and items."""

    def __init__(self, data, layers=2):
        self.user_count, self.layers = data.user_count, layers
        self.graph = normalised(data, data.users, data.items)
        self.nodes = parameter(data.user_count + data.item_count, WIDTH)
        self.parameters = [self.nodes]

    def begin_epoch(self):
        pass

    def propagated(self):
        import torch
        layers = [self.nodes]
        for _ in range(self.layers):
            layers.append(torch.sparse.mm(self.graph, layers[-1]))
        return torch.stack(layers).mean(0)

    def loss(self, users, positives, negatives):
        final = self.propagated()
        rows = [users, positives + self.user_count, negatives + self.user_count]
        squares = sum(self.nodes[row].pow(2).sum() for row in rows) / len(users)
        return ranking_loss(*(final[row] for row in rows)) + 1e-4 * squares


class FREEDOMStep(LightGCNStep):
    """LightGCN over a graph of which an epoch keeps a fifth of the edges, and a frozen item graph
    of the ten nearest neighbours per modality; each modality's projection has a ranking loss."""

    def __init__(self, data):
        import torch
        super().__init__(data)
        self.data, self.random = data, np.random.default_rng(2)
        degrees = [np.bincount(data.users, minlength=data.user_count),
                   np.bincount(data.items, minlength=data.item_count)]
        weights = 1 / np.sqrt(degrees[0][data.users] * degrees[1][data.items])
        self.weights = weights / weights.sum()
        self.features = [torch.nn.Parameter(torch.from_numpy(each)) for each in data.features]
        self.maps = [torch.nn.Linear(each.shape[1], WIDTH) for each in self.features]
        self.item_graph = neighbours(data)
        self.parameters += self.features
        for each in self.maps:
            self.parameters += each.parameters()

    def begin_epoch(self):
        kept = self.random.choice(len(self.weights), len(self.weights) // 5, replace=False,
                                  p=self.weights)
        self.graph = normalised(self.data, self.data.users[kept], self.data.items[kept])

    def loss(self, users, positives, negatives):
        import torch
        final = self.propagated()
        items = final[self.user_count:] + torch.sparse.mm(
            self.item_graph, self.nodes[self.user_count:])
        user = final[users]
        total = ranking_loss(user, items[positives], items[negatives])
        for features, each in zip(self.features, self.maps):
            vectors = each(features)
            total = total + 1e-3 * ranking_loss(user, vectors[positives], vectors[negatives])
        return total


def parameter(rows, columns):
    import torch
    return torch.nn.Parameter(torch.nn.init.xavier_uniform_(torch.empty(rows, columns)))


def normalised(data, users, items):
    """D^-1/2 A D^-1/2 of the graph of users and items."""
    nodes = data.user_count + data.item_count
    rows = np.concatenate([users, items + data.user_count])
    columns = np.concatenate([items + data.user_count, users])
    degrees = np.bincount(rows, minlength=nodes).astype(np.float32)
    values = 1 / np.sqrt(degrees[rows] * degrees[columns])
    return csr(sparse.csr_matrix((values, (rows, columns)), shape=(nodes, nodes)))


def neighbours(data, count=10, weights=(0.1, 0.9)):
    """The mean of the modalities' graphs of nearest items by cosine."""
    total = sparse.csr_matrix((data.item_count, data.item_count), dtype=np.float32)
    for weight, features in zip(weights, data.features):
        unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
        nearest = np.argpartition(-(unit @ unit.T), count, axis=1)[:, :count].ravel()
        rows = np.repeat(np.arange(data.item_count), count)
        values = np.full(len(rows), weight / count, dtype=np.float32)
        total = total + sparse.csr_matrix((values, (rows, nearest)), shape=total.shape)
    return csr(total)


def csr(matrix):
    import torch
    matrix = matrix.astype(np.float32)
    return torch.sparse_csr_tensor(
        torch.from_numpy(matrix.indptr.astype(np.int64)),
        torch.from_numpy(matrix.indices.astype(np.int64)), torch.from_numpy(matrix.data),
        size=matrix.shape)


def main():
    folder, library, model, epochs, threads = sys.argv[1:]
    run = {"implicit": implicit_epochs, "cornac": cornac_epochs, "torch": torch_epochs}[library]
    seconds = list(run(Data(folder), model, int(epochs), int(threads)))
    print(json.dumps({"seconds": seconds[1:], "version": importlib.metadata.version(library)}))


if __name__ == "__main__":
    main()
