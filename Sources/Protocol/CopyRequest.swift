/// Asks a server to store a piece of a checkpoint's file on its disk, or return one.
///
/// The file is named by numbers and by its digest, so that no request can name a path.
package struct CopyRequest: Sendable, Equatable {
  /// What a file of a checkpoint holds.
  package enum Subject: Sendable, Hashable {
    /// The rows of the server of a rank, of so many servers that wrote the checkpoint.
    case rows(rank: UInt32, serverCount: UInt32)
    /// The coordinator's records.
    case records
    /// A file that belongs to records; its digest is its name.
    case content
  }

  package enum Purpose: Sendable, Equatable {
    /// Store these bytes. Pieces come in order; the last one completes the file.
    case store(Payload)
    /// Return the bytes from the offset on, at most ``CopyRequest/mostBytes``.
    case fetch
    /// Return no bytes, only whether the whole file is there.
    case find
  }

  package var runID: String
  /// The generation in which the version was reached.
  package var generation: UInt64
  package var version: UInt64
  package var subject: Subject
  /// The size of the whole file.
  package var byteCount: UInt64
  /// The digest of the whole file, as ``CheckpointShard/digest``.
  package var digest: String
  /// Where the piece begins in the file.
  package var offset: UInt64
  package var purpose: Purpose

  package init(
    runID: String, generation: UInt64, version: UInt64, subject: Subject, byteCount: UInt64,
    digest: String, offset: UInt64, purpose: Purpose
  ) {
    self.runID = runID
    self.generation = generation
    self.version = version
    self.subject = subject
    self.byteCount = byteCount
    self.digest = digest
    self.offset = offset
    self.purpose = purpose
  }

  /// Most bytes of a piece: small enough that pulls of a step do not wait behind it for long.
  package static let mostBytes = 1 << 20
}

/// The answer to a ``CopyRequest``.
package struct CopyReply: Sendable, Equatable {
  /// Whether the whole file is on the server's disk, with its digest.
  package var isComplete: Bool
  /// The bytes that were asked for; none if bytes were stored.
  package var bytes: Payload

  package init(isComplete: Bool, bytes: Payload = .empty) {
    self.isComplete = isComplete
    self.bytes = bytes
  }
}
