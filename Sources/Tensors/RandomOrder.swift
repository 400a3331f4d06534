extension CounterRandom {
  /// Ids in a random order, each order equally likely.
  package func order(of ids: some Sequence<Int32>) -> [Int32] {
    ids.map { id in
      let words = words(id: Int(id))
      return (key: UInt64(words.x) << 32 | UInt64(words.y), id: id)
    }.sorted { ($0.key, $0.id) < ($1.key, $1.id) }.map(\.id)
  }
}
