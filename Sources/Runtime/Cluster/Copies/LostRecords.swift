import Checkpoints
import Configuration
import Coordinator
import Files
import Foundation
import Logging
import Protocol
import Transport

/// The records of a run whose coordinator's disk was lost, brought back from a server's disk.
package struct LostRecords {
  /// What to do about copies that servers hold.
  package enum Choice: Sendable, Equatable {
    /// Refuse to begin a run if there are copies of one with the same settings and data.
    case refuse
    /// Resume that run.
    case resume
  }

  private let directory: RunDirectory
  private let setup: RunSetup
  private let security: Security
  private let logger = Logger(label: "mrdib.coordinator")

  /// - Parameters:
  ///   - directory: a run directory without records.
  ///   - security: of connections to servers.
  init(_ directory: RunDirectory, setup: RunSetup, security: Security) {
    self.directory = directory
    self.setup = setup
    self.security = security
  }

  /// Copies of the records of unfinished runs with the same settings and data, the newest first.
  private func candidates(
    _ reports: [DiskReport], runID: String?
  ) -> [(records: HeldRecords, endpoint: String)] {
    let digests = RunIdentity.digests(of: setup)
    return reports.flatMap { report in
      report.records.map { ($0, report.dataEndpoint) }
    }.filter { records, _ in
      !records.isOver && records.configurationDigest == digests["configuration"]
        && records.dataDigest == digests["data"] && (runID == nil || records.runID == runID)
    }.sorted {
      ($0.0.generation, $0.0.version, $1.1) > ($1.0.generation, $1.0.version, $0.1)
    }
  }

  /// Brings the records back, if there is a copy and that is wanted.
  ///
  /// - Parameters:
  ///   - reports: of all servers.
  ///   - runID: the run that is wanted; nil: the only one.
  /// - Returns: the run's id; nil if no copy was found.
  /// - Throws: ``RuntimeError`` if there are copies and none may be used, or several runs have
  ///   some; `CheckpointError` if no copy is whole.
  func find(in reports: [DiskReport], _ choice: Choice, runID: String?) throws -> String? {
    let found = candidates(reports, runID: runID)
    guard let newest = found.first else { return nil }
    let runs = Set(found.map(\.records.runID)).sorted()
    guard choice == .resume else {
      throw RuntimeError(
        exitCode: .configuration,
        message:
          "Cannot begin a run in '\(directory.path)': the server at \(newest.endpoint) holds "
          + "records of the run '\(newest.records.runID)' with the same settings and data, which "
          + "has not ended (\(newest.records.epochsFinished) epochs finished). Resume it with "
          + "--resume servers, or begin another run with --resume never.")
    }
    guard runs.count == 1 else {
      throw RuntimeError(
        exitCode: .configuration,
        message: "Cannot resume the run in '\(directory.path)' from the servers' copies: they hold "
          + "records of \(runs.count) runs with the same settings and data: "
          + "\(runs.joined(separator: ", ")). Name one with --run-id.")
    }
    var problems: [String] = []
    for (records, endpoint) in found {
      do {
        try restore(records, from: endpoint, reports)
        logger.info(
          """
          brought back the records of run \(records.runID) as of version \(records.version) from \
          the server at \(endpoint)
          """)
        return records.runID
      } catch {
        problems.append("\(endpoint): \(error)")
      }
    }
    throw CheckpointError(
      .missing,
      "Cannot bring back the records of the run '\(newest.records.runID)': "
        + problems.joined(separator: "; "))
  }

  // MARK: Files

  private func restore(
    _ held: HeldRecords, from endpoint: String, _ reports: [DiskReport]
  ) throws {
    let exchange = CopyExchange(endpoint: endpoint, security: security, isWanted: { true })
    let place = CheckpointStore(folder: "\(directory.path)/restored")
    defer { try? FileManager.default.removeItem(atPath: place.folder) }
    let name = CheckpointName(generation: held.generation, version: held.version)
    guard
      let file = CopiedFile(
        .records, of: name, byteCount: Int(clamping: held.byteCount), digest: held.digest)
    else { throw CheckpointError(.damaged, "Its records have no digest.") }
    try exchange.fetch(file, into: place, runID: held.runID)
    let path = place.storage.path(of: file.path)
    let records = try CopiedRecords(
      decoding: Data(try PlainFile.contents(of: path, atMost: CopiedRecords.mostBytes)), path: path)
    for content in records.contents { try exchange.fetch(content, into: place, runID: held.runID) }
    try succeed(records, in: place, reports)
    try putInPlace(records, from: place)
  }

  /// The records of the lost coordinator become those of one that nodes obey, which rolls back.
  private func succeed(
    _ records: CopiedRecords, in place: CheckpointStore, _ reports: [DiskReport]
  ) throws {
    guard let path = path(of: directory.storeName, records, in: place) else {
      throw CheckpointError(.damaged, "The copy has no '\(directory.storeName)'.")
    }
    let store = try RunStore(path: path)
    guard try store.load()?.identity.id == records.runID else {
      throw CheckpointError(.mismatch, "The copy is of another run than '\(records.runID)'.")
    }
    try store.succeed(
      term: reports.map(\.term).max() ?? 0,
      generation: (reports.map(\.generation).max() ?? 0) + 1)
    try store.close()
  }

  private func path(
    of name: String, _ records: CopiedRecords, in place: CheckpointStore
  ) -> String? {
    records.files.first { $0.path == name }.flatMap {
      CopiedFile(.content, of: records.name, byteCount: $0.byteCount, digest: $0.digest)
    }.map { place.storage.path(of: $0.path) }
  }

  /// The records last: until they are there, nothing has happened.
  private func putInPlace(_ records: CopiedRecords, from place: CheckpointStore) throws {
    let manifests = CheckpointStore(
      folder: setup.configuration.checkpointFolder(of: records.runID, in: directory))
    for (path, text) in records.manifests {
      try manifests.keep(
        try CheckpointManifest.parse(
          Data(text.utf8), of: path, path: manifests.storage.path(of: path)))
    }
    for file in records.files where file.path != directory.storeName {
      guard let source = path(of: file.path, records, in: place) else { continue }
      let target = "\(directory.path)/\(file.path)"
      try DurableFile.makeFolder(FilePath.parent(of: target))
      try? FileManager.default.removeItem(atPath: target)
      try FileManager.default.copyItem(atPath: source, toPath: target)
    }
    for (name, text) in records.texts.sorted(by: { $0.key < $1.key }) {
      try put(text, as: name)
    }
    guard let source = path(of: directory.storeName, records, in: place) else { return }
    guard rename(source, directory.storePath) == 0 else {
      throw CheckpointError.system("write '\(directory.storePath)'", errno: errno)
    }
    try DurableFile.synchronizeFolder(directory.path)
  }

  private func put(_ text: String, as name: String) throws {
    let path = "\(directory.path)/\(name)"
    guard path == directory.environmentPath else {
      return try DurableFile.write(Array(text.utf8), to: path)
    }
    // This start is added to those before.
    let own = try? JSONDecoder().decode(
      RunEnvironment.self, from: Data(PlainFile.contents(of: path, atMost: 16 << 20)))
    try DurableFile.write(Array(text.utf8), to: path)
    if let own { try directory.writeEnvironment(own) }
  }
}
