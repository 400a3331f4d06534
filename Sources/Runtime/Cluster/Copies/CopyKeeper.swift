import Checkpoints
import Protocol
import Transport

/// Answers the requests of other servers about files: stores copies on this disk and returns
/// pieces. Used on one queue.
final class CopyKeeper {
  private struct Arriving {
    let copy: IncomingCopy
    var movedAt: Double
  }

  /// Of files that arrive, by their writer.
  private var arriving: [String: Arriving] = [:]

  /// Most files that arrive at a time, each with a buffer of a megabyte.
  private static let most = 4
  /// Seconds after which a file that does not arrive any further makes room for another.
  private static let patience = 30.0

  /// - Parameters:
  ///   - store: this machine's disk.
  ///   - runID: the run of this server.
  func answer(
    _ request: CopyRequest, in store: CheckpointStore, runID: String
  ) -> DataReplyBody {
    guard request.runID == runID else {
      return .refused(
        Refusal(
          code: .wrongRun,
          message: "This server belongs to run '\(runID)', not to '\(request.runID)'."))
    }
    guard let file = CopiedFile(request) else {
      return .refused(
        Refusal(code: .malformed, message: "No file has the digest '\(request.digest)'."))
    }
    do throws(CheckpointError) {
      switch request.purpose {
      case .fetch:
        let piece = try store.piece(of: file, at: Int(clamping: request.offset))
        return .copied(CopyReply(isComplete: true, bytes: piece))
      case .find:
        let isHere = request.subject == .content ? store.findContent(file) : try store.holds(file)
        return .copied(CopyReply(isComplete: isHere))
      case .store(let bytes):
        return try add(bytes, at: Int(clamping: request.offset), of: file, in: store)
      }
    } catch {
      if case .store = request.purpose { arriving[file.origin] = nil }
      return .refused(Refusal(code: .malformed, message: error.message))
    }
  }

  private func add(
    _ bytes: Payload, at offset: Int, of file: CopiedFile, in store: CheckpointStore
  ) throws(CheckpointError) -> DataReplyBody {
    let now = MonotonicClock.seconds
    var found = arriving[file.origin].flatMap { $0.copy.file == file ? $0 : nil }
    if offset == 0, found?.copy.isComplete != true {
      // An unfinished file of this writer is removed first: both would have one name.
      found = nil
      arriving[file.origin] = nil
      arriving = arriving.filter {
        !$0.value.copy.isComplete && now - $0.value.movedAt < Self.patience
      }
      guard arriving.count < Self.most else {
        return .refused(
          Refusal(code: .limit, message: "the server receives \(Self.most) other files"))
      }
    }
    let copy: IncomingCopy
    if let found { copy = found.copy } else { copy = try IncomingCopy(file, in: store) }
    try copy.add(bytes, at: offset)
    arriving[file.origin] = Arriving(copy: copy, movedAt: now)
    return .copied(CopyReply(isComplete: copy.isComplete))
  }
}
