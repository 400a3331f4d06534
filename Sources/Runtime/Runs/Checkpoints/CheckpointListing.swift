import Checkpoints
import Foundation

/// The checkpoints of a run, judged by their manifests and the sizes of their files.
package struct CheckpointListing: Sendable, Encodable {
  /// Whether a checkpoint can be used.
  package enum State: String, Sendable, Encodable {
    /// All files exist and have the right sizes; their bytes are not checked.
    case usable
    /// It has no manifest: its files are still being written, or never were completed.
    case incomplete
    case damaged
    /// In a format of another release.
    case unsupported
    /// Written by another run than the one whose directory it is in.
    case otherRun = "other_run"
  }

  /// One checkpoint. Values from the manifest are nil without one.
  package struct Entry: Sendable, Encodable {
    /// The name of its folder.
    package let checkpoint: String
    package let version: UInt64
    package let generation: UInt64
    package let state: State
    /// Whether the run resumes from it, unless reading its files shows damage.
    package fileprivate(set) var isNewestUsable = false
    /// Why it is damaged or not supported.
    package private(set) var problem: String?
    package private(set) var run: String?
    /// From 0: how many are complete.
    package private(set) var epoch: Int?
    /// From 0, counted from the beginning of the run.
    package private(set) var step: UInt64?
    package private(set) var servers: Int?
    /// Of all servers' files together.
    package private(set) var bytes: Int?
    /// ISO 8601.
    package private(set) var created: String?
    /// Seconds since then.
    package private(set) var age: Double?

    enum CodingKeys: String, CodingKey {
      case checkpoint, version, generation, state, problem, run, epoch, step, servers, bytes,
        created
      case isNewestUsable = "newest_usable"
      case age = "age_seconds"
    }
  }

  /// Of all the checkpoints.
  package let folder: String
  /// Newest first.
  package let checkpoints: [Entry]

  /// Reads the manifests of a run's directory, a folder of checkpoints, or one checkpoint.
  ///
  /// - Throws: errors with a sentence when the path is none of these.
  package init(path: String) throws {
    let place = try CheckpointPlace(path: path)
    folder = place.store.folder
    var entries = try place.entries().map { Entry($0, in: place, at: Date()) }
    if place.name == nil, let newest = entries.firstIndex(where: { $0.state == .usable }) {
      entries[newest].isNewestUsable = true
    }
    checkpoints = entries
  }

  /// The listing as a text table, then one sentence for each checkpoint with a problem.
  package var lines: [String] {
    guard !checkpoints.isEmpty else { return ["no checkpoints in '\(folder)'"] }
    let table = TextTable(
      header: [
        "checkpoint", "state", "age", "version", "generation", "epoch", "step", "servers", "bytes",
      ],
      rows: checkpoints.map { entry in
        [entry.checkpoint, entry.words, entry.age.map(ProgressFormat.duration) ?? "-"]
          + ["\(entry.version)", "\(entry.generation)"]
          + [entry.epoch, entry.step.map { Int(clamping: $0) }, entry.servers, entry.bytes]
          .map { $0.map(String.init) ?? "-" }
      }, leftColumns: 2)
    return table.lines
      + checkpoints.compactMap { entry in
        entry.problem.map { "\(entry.checkpoint): \($0)" }
      }
  }
}

extension CheckpointListing.Entry {
  fileprivate var words: String {
    switch state {
    case .usable: isNewestUsable ? "newest usable" : "usable"
    case .incomplete, .damaged: state.rawValue
    case .unsupported: "other release"
    case .otherRun: "other run"
    }
  }

  fileprivate init(_ entry: CheckpointStore.Entry, in place: CheckpointPlace, at now: Date) {
    checkpoint = entry.name.folder
    version = entry.name.version
    generation = entry.name.generation
    switch entry.content {
    case .uncommitted: state = .incomplete
    case .unusable(let error):
      state = error.code == .unsupported ? .unsupported : .damaged
      problem = error.message
    case .committed(let manifest):
      do throws(CheckpointError) {
        try place.store.checkSizes(manifest)
        state = place.isOfOtherRun(manifest) ? .otherRun : .usable
      } catch {
        state = .damaged
        problem = error.message
      }
      run = manifest.runID
      epoch = manifest.epoch
      step = manifest.step
      servers = manifest.serverCount
      bytes = manifest.byteCount
      created = manifest.created
      age = (try? Date(manifest.created, strategy: .iso8601)).map {
        max(0, now.timeIntervalSince($0))
      }
    }
  }
}

extension CheckpointManifest {
  /// Bytes of all servers' files together.
  var byteCount: Int { shards.reduce(0) { $0 &+ $1.byteCount } }
}
