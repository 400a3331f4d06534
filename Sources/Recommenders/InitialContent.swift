import Tensors

extension Backbone {
  /// The root mean square of each modality's vectors before training, of the items that have it.
  ///
  /// All processes compute the same values, because initial values depend only on the seed. At most
  /// 4,096 items, evenly spread, are used.
  func initialContentScales(
    seed: UInt64, itemCount: Int, absence: AbsentModalities
  ) -> [Float] {
    let stride = max(1, itemCount / 4096)
    let items = Swift.stride(from: 0, to: itemCount, by: stride).map(Int32.init)
    let means = contentMeans(of: items, context: StepContext(seed: seed, epoch: 0, step: 0)) {
      fillInitial(table: $0, row: $1, seed: seed, $2)
    }
    return means.enumerated().map { modality, all in
      let mean = absence.known(all, of: items, modality)
      let squares = BLAS.dot(mean.pointer, mean.pointer, count: mean.count)
      return (squares / Float(max(1, mean.count))).squareRoot()
    }
  }
}
