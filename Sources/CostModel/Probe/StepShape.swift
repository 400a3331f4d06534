import Protocol

/// The messages of one version of the tables, by what they contain.
package struct VersionShape: Sendable, Equatable {
  /// The rows of one matrix in a message.
  package struct Section: Sendable, Equatable {
    /// The index of the table; of propagated gradients, that of the propagated matrix.
    package let table: Int
    /// Of the whole matrix on the data of the probe; 0 if the messages do not show it.
    package let rows: Int
    package let width: Int
    package let selected: SelectedRows
  }

  /// Of a worker, for all its shards.
  package var pull: [Section] = []
  /// Numbers in the sums over all shards that a shard needs; 0 if there is no such message.
  package var norms = 0
  /// Whether shards exchange the gradients of propagated matrices.
  package var exchangesPropagated = false
  /// Of a shard.
  package var propagated: [Section] = []
  /// Of a shard.
  package var push: [Section] = []
  /// What a shard's push has for server 0.
  package var sums: [String: Double] = [:]
}

/// The messages of a step: those of its versions.
package struct StepShape: Sendable, Equatable {
  /// One per round.
  package var versions: [VersionShape]
  package let probeUsers: Int
  package let probeItems: Int

  /// The rows of a matrix of the probe's size in the run: matrices have a row per user, per item,
  /// per node, or always as many.
  func rows(_ section: VersionShape.Section, users: Int, items: Int) -> Int {
    switch section.rows {
    case probeUsers: users
    case probeItems: items
    case probeUsers + probeItems: users + items
    default: section.rows
    }
  }

  /// Whether a step needs a matrix with a row per user or item as a whole.
  package var readsWholeTables: Bool {
    let sizes = [probeUsers, probeItems, probeUsers + probeItems]
    return versions.contains { version in
      version.pull.contains { $0.selected == .whole && sizes.contains($0.rows) }
    }
  }
}
