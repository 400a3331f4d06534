package import Messages

/// Some rows of a table on this server, in ascending order.
package enum LocalRows: Sendable {
  /// All that the server holds.
  case whole(count: Int)
  /// Local indices, `UInt32`, in an aligned payload.
  case listed(Payload)

  var count: Int {
    switch self {
    case .whole(let count): count
    case .listed(let indices): indices.count(of: UInt32.self)
    }
  }

  /// The local indices, nil for all rows; to be read only where something keeps the selection
  /// alive beyond the last use of the pointer.
  var indices: UnsafePointer<UInt32>? {
    switch self {
    case .whole: nil
    case .listed(let indices): indices.bytes.baseAddress?.assumingMemoryBound(to: UInt32.self)
    }
  }

  /// The local index of the row at a position of the selection.
  func localIndex(at position: Int) -> Int {
    switch self {
    case .whole: position
    case .listed(let indices): Int(indices.load(UInt32.self, at: position))
    }
  }

  /// Calls `body` with the position in the selection and the local index of each row.
  @inline(__always)
  func forEach(_ body: (_ position: Int, _ localIndex: Int) -> Void) {
    withExtendedLifetime(self) {
      let indices = indices
      for position in 0..<count {
        body(position, indices.map { Int($0[position]) } ?? position)
      }
    }
  }
}
