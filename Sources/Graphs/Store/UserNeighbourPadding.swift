/// What happens to users who have fewer than K neighbours.
public enum UserNeighbourPadding: Sendable, Equatable {
  /// They keep the neighbours they have: nothing is drawn, and all epochs have the same graph.
  case none
  /// Neighbours are repeated until there are K, drawn from the list as it grows (a Pólya urn), anew
  /// every epoch: what the reference implementation of DualGNN does.
  case urn(seed: UInt64, epoch: Int)
}
