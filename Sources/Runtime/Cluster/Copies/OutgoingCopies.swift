import Checkpoints
import Protocol

/// Files that are sent to a server's disk, one after the other and piece by piece: what a
/// ``CopyExchange`` asks.
final class OutgoingCopies {
  struct Item {
    let file: CopiedFile
    /// Whether the server is asked first if it has the file.
    let isPerhapsThere: Bool
    /// The bytes from an offset on.
    let piece: (Int) throws -> Payload
  }

  private enum Step {
    case begun
    case asked
    /// So many bytes are sent.
    case sent(Int)
  }

  private let runID: String
  private var items: ArraySlice<Item>
  private var step = Step.begun

  init(_ items: [Item], runID: String) {
    self.items = items[...]
    self.runID = runID
  }

  /// The next request.
  ///
  /// - Parameter reply: to the request before; nil at the beginning.
  /// - Returns: nil when all files are on the server's disk.
  /// - Throws: `CheckpointError` if the server has not confirmed a whole file, or a file cannot be
  ///   read.
  func next(_ reply: CopyReply?) throws -> CopyRequest? {
    if let item = items.first, let reply { try take(reply, to: item) }
    guard let item = items.first else { return nil }
    if case .begun = step, item.isPerhapsThere {
      step = .asked
      return item.file.request(.find, at: 0, runID: runID)
    }
    let offset = if case .sent(let count) = step { count } else { 0 }
    let piece = try item.piece(offset)
    step = .sent(offset + piece.byteCount)
    return item.file.request(.store(piece), at: offset, runID: runID)
  }

  private func take(_ reply: CopyReply, to item: Item) throws {
    switch step {
    case .begun: return
    case .asked:
      step = .sent(0)
      guard reply.isComplete else { return }
    case .sent(let count):
      guard count == item.file.byteCount else { return }
      guard reply.isComplete else {
        throw CheckpointError(.inputOutput, "It did not confirm the whole file.")
      }
    }
    items.removeFirst()
    step = .begun
  }
}
