import Tables

/// How old rows may be in simulated runs.
package enum SimulatedConsistency: String, Sendable, CaseIterable {
  case bsp
  /// The bound is 1, 2 or 3, by the seed.
  case ssp
  case async

  func rule(seed: UInt64) -> Consistency {
    switch self {
    case .bsp: .bulkSynchronous
    case .ssp: .staleSynchronous(bound: 1 + seed % 3)
    case .async: .asynchronous
    }
  }
}
