/// Text that waits to be written to a reader that may be slow or stopped, as a value.
///
/// Dropped lines are counted, and the count is written in their place.
package struct OutputBacklog: Sendable {
  /// What happens to new text when there is no room.
  package enum Overflow: Sendable {
    /// The oldest lines are dropped: the last ones show why a process ended.
    case dropsOldest
    /// Nothing is dropped; the caller waits for room before it adds text.
    case waits
  }

  /// The most text that is kept, in pieces and in bytes.
  package static let pieceLimit = 1000
  package static let byteLimit = 1 << 18
  /// As much as a pipe takes at once (`PIPE_BUF`), so that the lines of processes that share a pipe
  /// do not mix.
  private static let chunkLimit = 4096
  private static let eraseLine = "\r\u{1B}[K"

  /// The text of one write.
  package struct Chunk: Sendable, Equatable {
    package let text: String
    /// The lines that are lost if the write fails, including those that its note counts.
    fileprivate var losses: Losses
  }

  fileprivate struct Losses: Sendable, Equatable {
    /// Lines dropped because the reader was too slow.
    var unread = 0
    /// Lines that could not be written.
    var failed = 0
    var reason = ""

    var isEmpty: Bool { unread + failed == 0 }

    /// The lines that report the losses.
    var note: String {
      let dropped =
        "mrdib: \(ProgressFormat.count(unread, "line")) dropped here: the output was not read"
      let lost = "mrdib: \(ProgressFormat.count(failed, "line")) lost here: \(reason)"
      return (unread == 0 ? "" : LogFormat.line(dropped))
        + (failed == 0 ? "" : LogFormat.line(lost))
    }
  }

  private enum Piece: Sendable {
    case text(String)
    /// A line without newline, which the next piece replaces.
    case status(String)
    /// Keeps the line of the last status.
    case endOfStatus

    var byteCount: Int {
      switch self {
      case .text(let text), .status(let text): text.utf8.count
      case .endOfStatus: 0
      }
    }
  }

  private let overflow: Overflow
  private var pieces: [Piece] = []
  private var byteCount = 0
  private var losses = Losses()
  /// Whether a status has to be erased before the next piece.
  private var isStatusShown = false
  /// Whether the last write ended within a line.
  private var isTorn = false

  package init(overflow: Overflow) { self.overflow = overflow }

  package var isEmpty: Bool { pieces.isEmpty }

  package var hasRoom: Bool {
    pieces.count < Self.pieceLimit && byteCount < Self.byteLimit
  }

  /// - Parameter text: lines, each with its newline.
  package mutating func add(_ text: String) { add(.text(text)) }

  /// Adds a line that the next text or status replaces.
  package mutating func show(status: String) { add(.status(status)) }

  /// Erases the line on which another process shows a status, before the next piece.
  package mutating func assumeStatus() { isStatusShown = true }

  /// Keeps the line of a status that is shown.
  package mutating func endStatus() { add(.endOfStatus) }

  private mutating func add(_ piece: Piece) {
    var piece = piece
    if case .status(let line) = pieces.last {
      removeLast()
      // A status that was not written yet is replaced by the next piece, unless it is kept.
      if case .endOfStatus = piece { piece = .text(line + "\n") }
    }
    pieces.append(piece)
    byteCount += piece.byteCount
    guard overflow == .dropsOldest else { return }
    while pieces.count > 1, pieces.count > Self.pieceLimit || byteCount > Self.byteLimit {
      let oldest = pieces.removeFirst()
      byteCount -= oldest.byteCount
      if case .text(let text) = oldest { losses.unread += text.lineCount }
    }
  }

  private mutating func removeLast() {
    if let last = pieces.popLast() { byteCount -= last.byteCount }
  }

  /// Removes and returns the text to write next; nil if there is none.
  package mutating func next() -> Chunk? {
    guard !pieces.isEmpty else { return nil }
    var text = (isTorn ? "\n" : "") + losses.note
    var lost = losses
    if isStatusShown, !text.isEmpty {
      text = Self.eraseLine + text
      isStatusShown = false
    }
    (isTorn, losses) = (false, Losses())
    var count = 0
    for piece in pieces {
      if count > 0, text.utf8.count + piece.byteCount > Self.chunkLimit { break }
      render(piece, into: &text)
      if case .text(let lines) = piece { lost.failed += lines.lineCount }
      count += 1
    }
    byteCount -= pieces.prefix(count).reduce(0) { $0 + $1.byteCount }
    pieces.removeFirst(count)
    return Chunk(text: text, losses: lost)
  }

  private mutating func render(_ piece: Piece, into text: inout String) {
    switch piece {
    case .text(let lines):
      text += (isStatusShown ? Self.eraseLine : "") + lines
      isStatusShown = false
    case .status(let line):
      text += (isStatusShown ? Self.eraseLine : "") + line
      isStatusShown = true
    case .endOfStatus:
      if isStatusShown { text += "\n" }
      isStatusShown = false
    }
  }

  /// Counts the lines of a chunk that could not be written completely.
  ///
  /// - Parameter byteCount: how many bytes of it were written.
  package mutating func fail(_ chunk: Chunk, after byteCount: Int, reason: String) {
    losses.unread += chunk.losses.unread
    losses.failed += chunk.losses.failed
    losses.reason = reason
    isTorn = isTorn || byteCount > 0
  }
}

extension String {
  fileprivate var lineCount: Int { utf8.count { $0 == UInt8(ascii: "\n") } }
}
