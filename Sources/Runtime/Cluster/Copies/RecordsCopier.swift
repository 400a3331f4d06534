import Checkpoints
import Coordinator
import Files
import Foundation
import Logging
import Protocol
import Synchronization
import Tensors
import Transport

/// Copies to a server's disk what only the coordinator's disk has of a run: records, best model,
/// manifests. Used on one queue.
final class RecordsCopier: Sendable {
  /// A file of the run directory that is open, so that it can be read even if it is deleted.
  private struct Source {
    let file: CopiedRecords.File
    let descriptor: FileDescriptor
  }

  private let directory: RunDirectory
  private let store: RunStore
  private let digests: [String: String]
  private let security: Security
  private let logger = Logger(label: "mrdib.coordinator")
  private let hasWarned = Mutex(false)

  /// How often the files are opened again because the best model was replaced meanwhile.
  private static let attempts = 20

  /// - Parameters:
  ///   - directory: the run directory.
  ///   - store: the records in it.
  ///   - digests: of the run's data and settings.
  ///   - security: of connections to servers.
  init(
    directory: RunDirectory, store: RunStore, digests: [String: String], security: Security
  ) {
    self.directory = directory
    self.store = store
    self.digests = digests
    self.security = security
  }

  /// Copies the records as they are now, and returns when all is on the server's disk. Files that
  /// the server has already are not sent again.
  ///
  /// - Parameters:
  ///   - manifests: the checkpoint that the copy belongs to, and older ones of the run.
  ///   - keepers: the servers by rank. One on another host is chosen, if there is one.
  ///   - isWanted: whether the copy is still of use.
  /// - Throws: an error with the cause.
  func copy(
    asOf manifests: [CheckpointManifest], to keepers: [ServerPlace],
    while isWanted: @escaping () -> Bool
  ) throws {
    guard let manifest = manifests.first, let keeper = choose(among: keepers) else {
      throw CheckpointError(.inputOutput, "No server can keep a copy of the records.")
    }
    do {
      let temporary = "\(directory.storePath).copy"
      defer { unlink(temporary) }
      let (run, sources) = try snapshot(temporary)
      try send(try copies(of: run, sources, manifests), manifest, to: keeper, while: isWanted)
    } catch {
      throw CheckpointError(
        .inputOutput,
        "The copy of the records on the server at \(keeper.endpoint) was not made: \(error)")
    }
  }

  /// The first server on another host.
  private func choose(among keepers: [ServerPlace]) -> ServerPlace? {
    let own = ProcessInfo.processInfo.hostName
    if let other = keepers.first(where: { $0.host != own }) { return other }
    let isFirst = hasWarned.withLock { hasWarned in
      defer { hasWarned = true }
      return !hasWarned
    }
    if isFirst, !keepers.isEmpty {
      logger.warning(
        """
        the coordinator and all servers are on one host: the run is lost with it; start servers \
        on other machines
        """)
    }
    return keepers.first
  }

  // MARK: What is copied

  /// The records, and the files of the best model that they name.
  private func snapshot(_ temporary: String) throws -> (StoredRun, [Source]) {
    var failure: (any Error)?
    for _ in 0..<Self.attempts {
      unlink(temporary)
      guard let run = try store.copy(to: temporary) else { break }
      do {
        return (
          run, [try source(temporary, as: directory.storeName)] + (try modelSources(of: run))
        )
      } catch {
        // The model is replaced before that is recorded.
        failure = error
        usleep(50_000)
      }
    }
    throw failure
      ?? CheckpointError(.missing, "There are no records in '\(directory.storePath)'.")
  }

  private func source(_ path: String, as name: String) throws -> Source {
    let content = try FileContent(of: path)
    return Source(
      file: .init(path: name, byteCount: content.byteCount, digest: content.digest),
      descriptor: try FileDescriptor(path, .read, purpose: "read '\(path)'"))
  }

  private func modelSources(of run: StoredRun) throws -> [Source] {
    guard let recorded = run.progress.best, run.progress.isBestSaved else { return [] }
    let model = try BestModel.read(run: directory.path)
    guard model.epoch == recorded.epoch, model.version == recorded.version else {
      throw CheckpointError(
        .mismatch, "The best model is of epoch \(model.epoch), not \(recorded.epoch).")
    }
    return try model.files.map {
      let name = "\(model.folder)/\($0.name)"
      let path = "\(directory.path)/\(name)"
      return Source(
        file: .init(path: name, byteCount: $0.byteCount, digest: $0.digest),
        descriptor: try FileDescriptor(path, .read, purpose: "read '\(path)'"))
    }
  }

  private func copies(
    of run: StoredRun, _ sources: [Source], _ manifests: [CheckpointManifest]
  ) throws -> (records: CopiedRecords, sources: [Source]) {
    var texts: [String: String] = [:]
    let hasModel = sources.count > 1
    for path in [directory.environmentPath] + (hasModel ? [BestModel.path(directory.path)] : []) {
      guard let bytes = try? PlainFile.contents(of: path, atMost: 16 << 20) else { continue }
      texts[(path as NSString).lastPathComponent] = String(decoding: bytes, as: UTF8.self)
    }
    let records = CopiedRecords(
      runID: run.identity.id, name: manifests[0].name, epochsFinished: run.progress.epochsFinished,
      configurationDigest: digests["configuration"] ?? "", dataDigest: digests["data"] ?? "",
      files: sources.map(\.file), texts: texts,
      manifests: try Dictionary(
        manifests.map { ($0.name.manifest, try $0.text()) }, uniquingKeysWith: { first, _ in first }
      )
    )
    return (records, sources)
  }

  // MARK: Sending

  private func send(
    _ copies: (records: CopiedRecords, sources: [Source]), _ manifest: CheckpointManifest,
    to keeper: ServerPlace, while isWanted: @escaping () -> Bool
  ) throws {
    let sources = Dictionary(
      copies.sources.map { ($0.file.digest, $0) }, uniquingKeysWith: { first, _ in first })
    var items = copies.records.contents.compactMap { file in
      sources[file.digest].map { source in
        OutgoingCopies.Item(file: file, isPerhapsThere: true) {
          try file.piece(at: $0, from: source.descriptor, path: source.file.path)
        }
      }
    }
    // Last, because it completes the copy.
    items.append(try Self.item(copies.records))
    let sequence = OutgoingCopies(items, runID: copies.records.runID)
    try CopyExchange(endpoint: keeper.endpoint, security: security, isWanted: isWanted)
      .run(sequence.next)
  }

  private static func item(_ records: CopiedRecords) throws -> OutgoingCopies.Item {
    let bytes = try records.encoded()
    var digest = ByteDigest()
    bytes.withUnsafeBytes { digest.append($0) }
    guard
      let file = CopiedFile(
        .records, of: records.name, byteCount: bytes.count, digest: digest.text)
    else { throw CheckpointError(.inputOutput, "The records have no digest.") }
    return OutgoingCopies.Item(file: file, isPerhapsThere: false) { offset in
      .copying(Array(bytes[offset..<min(bytes.count, offset + CopyRequest.mostBytes)]))
    }
  }
}
