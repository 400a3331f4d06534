import Checkpoints

/// Verifies checkpoints and a run's best model by reading every byte, and compares the run's
/// records with the files.
package struct CheckpointVerification: Sendable, Encodable {
  /// One checkpoint.
  package struct Entry: Sendable, Encodable {
    /// The name of its folder.
    package let checkpoint: String
    /// Servers' files that were read; 0 without a usable manifest.
    package let files: Int
    /// Of these files, by the manifest.
    package let bytes: Int
    /// Whether the manifest is missing: files are being written, or never were completed.
    package let isIncomplete: Bool
    /// Empty if nothing is wrong.
    package let problems: [String]

    enum CodingKeys: String, CodingKey {
      case checkpoint, files, bytes, problems
      case isIncomplete = "incomplete"
    }
  }

  /// Of all the checkpoints.
  package let folder: String
  /// Newest first, without those of other runs.
  package let checkpoints: [Entry]

  /// nil if the path is no run directory, or the run has no best model yet.
  package let bestModel: BestModelVerification?

  /// nil if the path is no run directory, or the run has not begun.
  package let records: RecordVerification?

  enum CodingKeys: String, CodingKey {
    case folder, checkpoints, records
    case bestModel = "best_model"
  }

  /// Whether no problem was found.
  package var isGood: Bool {
    checkpoints.allSatisfy(\.problems.isEmpty)
      && [bestModel?.problems, records?.problems].allSatisfy { $0?.isEmpty ?? true }
  }

  /// Reads the checkpoints and the best model of a run's directory, the checkpoints of a folder, or
  /// one checkpoint.
  ///
  /// An incomplete checkpoint is a problem only if the path names it.
  ///
  /// - Parameter progress: receives how many bytes are read, and of how many that are known of.
  /// - Throws: errors with a sentence when the path is no run and no checkpoint.
  package init(
    path: String, progress: (_ done: Int, _ all: Int) -> Void = { _, _ in }
  ) throws {
    let place = try CheckpointPlace(path: path)
    folder = place.store.folder
    let entries = try place.entries()
    let best = place.run.flatMap { try? BestModel.read(run: $0.path) }
    // Sizes as recorded: the files are checked for theirs.
    let all = entries.reduce(best?.files.reduce(0) { $0 &+ $1.byteCount } ?? 0) { sum, entry in
      if case .committed(let manifest) = entry.content { sum &+ manifest.byteCount } else { sum }
    }
    var done = 0
    func note(_ byteCount: Int) {
      done += byteCount
      progress(done, all)
    }
    checkpoints = entries.compactMap { Entry($0, in: place, progress: note) }
    bestModel = place.run.flatMap { BestModelVerification(run: $0.path, progress: note) }
    records = place.run.flatMap { RecordVerification(run: $0, checkpoints: place.store) }
  }

  /// The error if no checkpoint is complete, so that a run could not resume from any; else nil.
  package var missing: RuntimeError? {
    guard !checkpoints.contains(where: { !$0.isIncomplete || !$0.problems.isEmpty }) else {
      return nil
    }
    let found = checkpoints.isEmpty ? "there is none yet" : "none is complete"
    return RuntimeError(
      exitCode: .inputMissing, message: "Cannot verify checkpoints in '\(folder)': \(found).")
  }

  /// A line for each checkpoint, or one for each of its problems; then the best model and the
  /// records.
  package var lines: [String] {
    checkpoints.flatMap { entry in
      if !entry.problems.isEmpty { return entry.problems.map { "\(entry.checkpoint): \($0)" } }
      if entry.isIncomplete { return ["\(entry.checkpoint): incomplete, not checked"] }
      return [
        "\(entry.checkpoint): good, \(entry.bytes) bytes in "
          + ProgressFormat.count(entry.files, "file")
      ]
    } + (bestModel?.lines ?? []) + (records?.lines ?? [])
  }
}

extension CheckpointVerification.Entry {
  /// nil for a checkpoint of another run, and for one that was deleted in the meantime.
  fileprivate init?(
    _ entry: CheckpointStore.Entry, in place: CheckpointPlace, progress: (Int) -> Void
  ) {
    checkpoint = entry.name.folder
    isIncomplete = entry.content == .uncommitted
    switch entry.content {
    case .uncommitted:
      (files, bytes) = (0, 0)
      problems = place.name == nil ? [] : [place.incomplete(entry.name)]
    case .unusable(let error):
      (files, bytes) = (0, 0)
      problems = [error.message]
    case .committed(let manifest):
      guard !place.isOfOtherRun(manifest) else { return nil }
      (files, bytes) = (manifest.serverCount, manifest.byteCount)
      problems = place.store.verify(manifest, progress: progress).map(\.message)
      // A run that is training deletes old checkpoints, the manifest first.
      if !problems.isEmpty, !place.store.hasManifest(entry.name) { return nil }
    }
  }
}
