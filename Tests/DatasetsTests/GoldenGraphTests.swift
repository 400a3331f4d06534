import Datasets
import Tensors
import TestSupport
import Testing

/// Every graph of the reference implementations on the tiny data set. They were built in single
/// precision there, which differs from exact arithmetic by up to 1e-7 (sums of SOIL up to 1e-6).
@Suite("graphs of the reference implementations")
struct GoldenGraphTests {
  private let store: GraphStore

  init() throws { store = GraphStore(try GraphData.tiny()) }

  /// Distance of a graph to a stored one, which has an entry in the same places.
  private func expect(
    _ graph: SparseMatrix, is path: String, of file: String, within tolerance: Double = 3e-7,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let golden = try Golden(file)
    let distance = Dense(graph).distance(to: try Dense(golden, path))
    #expect(distance < tolerance, "\(file): \(path)", sourceLocation: sourceLocation)
    let entries = try golden.numbers("\(path)/val").count
    #expect(graph.entryCount == entries, "\(file): \(path)", sourceLocation: sourceLocation)
  }

  @Test("the normalised interactions, with guarded and with exact degrees")
  func adjacency() throws {
    try expect(store.adjacency(.guarded), is: "graphs/A_hat", of: "lightgcn")
    try expect(store.adjacency(.guarded), is: "graphs/A_hat", of: "freedom")
    try expect(store.adjacency(.exact), is: "graphs/A_hat", of: "mgcn")
    try expect(store.adjacency(.exact), is: "graphs/A_hat_defined_here_exact", of: "dualgnn")
    try expect(store.userItem(.exact), is: "graphs/R_hat", of: "mgcn")
  }

  @Test("FREEDOM's unweighted neighbours, alone and combined 1 : 9")
  func unweightedNeighbours() throws {
    let visual = try store.itemNeighbours(modality: 0, count: 3, weighting: .unweighted)
    let text = try store.itemNeighbours(modality: 1, count: 3, weighting: .unweighted)
    try expect(visual, is: "graphs/M_v", of: "freedom")
    try expect(text, is: "graphs/M_t", of: "freedom")
    let joined = SparseMatrix.sum([
      (weight: 0.1, matrix: visual), (weight: 0.9, matrix: text),
    ])
    try expect(joined, is: "graphs/M", of: "freedom")
  }

  @Test("MGCN's weighted neighbours")
  func weightedNeighbours() throws {
    for (modality, path) in ["graphs/M_v", "graphs/M_t"].enumerated() {
      let graph = try store.itemNeighbours(modality: modality, count: 3, weighting: .weighted)
      try expect(graph, is: path, of: "mgcn")
    }
  }

  @Test("FREEDOM's sampling weights, and its graphs of all and of given interactions")
  func sampledInteractions() throws {
    let golden = try Golden("freedom")
    let sampling = InteractionSampling(store.dataset.train)
    let weights = try golden.numbers("edges/sampling_weight")
    #expect(sampling.weights.count == weights.count)
    for (ours, theirs) in zip(sampling.weights, weights) { #expect(abs(ours - theirs) < 1e-7) }

    let all = store.sampledAdjacency(dropout: 0, seed: 1, epoch: 0)
    try expect(all, is: "cases/dropout0/graphs/A_tilde", of: "freedom")
    let kept = try golden.integers("cases/given_kept_edges/kept_edges").map { Int($0) }
    try expect(
      sampling.adjacency(keeping: kept), is: "cases/given_kept_edges/graphs/A_tilde",
      of: "freedom")
  }

  @Test("PGL's subgraphs: the strongest directions, and given interactions")
  func principal() throws {
    try expect(store.principalAdjacency(rank: 4), is: "cases/global/graphs/A_sub", of: "pgl")
    let kept = try Golden("pgl").integers("draws/kept_edges").map { Int($0) }
    try expect(
      InteractionSampling(store.dataset.train).adjacency(keeping: kept),
      is: "cases/local/graphs/A_sub", of: "pgl")
  }

  @Test("LATTICE's means over neighbours and a node itself, and its given graphs")
  func loops() throws {
    try expect(store.meanAdjacencyWithLoops(), is: "graphs/A_hat", of: "lattice")
    for (modality, path) in ["graphs/O_v", "graphs/O_t"].enumerated() {
      let graph = try store.itemNeighbours(modality: modality, count: 3, weighting: .weighted)
      try expect(graph, is: path, of: "lattice")
    }
  }

  @Test("SMORE's graphs of two modalities with other counts, and the largest of both")
  func largestOfGraphs() throws {
    let graphs = try [3, 4].enumerated().map {
      try store.itemNeighbours(modality: $0, count: $1, weighting: .weighted)
    }
    try expect(graphs[0], is: "graphs/M_v", of: "smore")
    try expect(graphs[1], is: "graphs/M_t", of: "smore")
    try expect(SparseMatrix.maximum(graphs), is: "graphs/M_f", of: "smore")
  }

  @Test("DualGNN's weights of the nearest users: truncated, all, and padded with given draws")
  func userNeighbours() throws {
    try expect(
      store.userNeighbours(count: 5, padding: .none), is: "cases/k5_truncated/Omega",
      of: "dualgnn")
    let all = store.userNeighbours(count: 40, padding: .none)
    try expect(all, is: "Omega_all_neighbours_defined_here", of: "dualgnn")

    let golden = try Golden("dualgnn")
    let counts = try golden.matrix("counts")
    let shared = SparseMatrix(
      rows: 12, columns: 12,
      entries: (0..<144).compactMap { place in
        let (row, column) = (place / 12, place % 12)
        let count = row == column ? 0 : counts[row, column]
        return count > 0 ? (Int32(row), Int32(column), count) : nil
      })
    let drawn = try golden.matrix("cases/k40_padded/neighbours")
    let padded = UserNeighbours(sharedItems: shared).weights { user, neighbours in
      drawn.row(user).compactMap { neighbours.firstIndex(of: Int32($0)) }
    }
    try expect(padded, is: "cases/k40_padded/Omega", of: "dualgnn")
  }

  @Test("SOIL's interest graphs, before and after normalisation")
  func interestGraphs() throws {
    for (modality, name) in ["v", "t"].enumerated() {
      let raw = try store.interests(modality: modality, count: 2)
      try expect(raw, is: "graphs/J_\(name)", of: "soil", within: 2e-6)
      let graph = try store.interestGraph(modality: modality, count: 2, neighbours: 3)
      try expect(graph, is: "graphs/M_\(name)", of: "soil", within: 5e-7)
    }
  }

  @Test("SOIL's second-order graphs: as in the reference, and with the degrees corrected")
  func secondOrder() throws {
    try expect(
      store.secondOrderProducts(extra: 2), is: "graphs/Y2R", of: "soil", within: 1e-6)
    let graphs = try store.secondOrder(extra: 2)
    try expect(graphs.adjacency, is: "graphs/A_prime", of: "soil", within: 5e-7)
    try expect(graphs.userItem, is: "graphs/R_prime", of: "soil", within: 5e-7)
    try expect(
      graphs.fixedUserItem, is: "graphs/R_prime_fixed_defined_here", of: "soil", within: 5e-7)
  }
}
