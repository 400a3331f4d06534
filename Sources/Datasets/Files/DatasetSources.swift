internal import Foundation
internal import Synchronization
import Tensors

/// The files that a data set was read from and their state at that time, so that a run notices
/// changes.
///
/// Features stay mapped, so overwriting their file changes the data that is trained on.
/// Interactions and neighbours were read into memory or into the cache and do not change, but a
/// process that restarts would read other data than the rest of the run.
package final class DatasetSources: Sendable {
  /// One of the files.
  private struct Source: Sendable {
    let path: String
    /// From the last time that the content was known to be unchanged.
    var stamp: FileStamp
    /// Whether it was reported that the path leads to another file or to none.
    var isReportedAsReplaced = false
    /// Compares a sample of a mapped file.
    let isSampleUnchanged: @Sendable () -> Bool
    /// Reads and compares the whole content.
    let isContentUnchanged: @Sendable () -> Bool
  }

  private let sources: Mutex<[Source]>

  /// No files: the data set was made in memory.
  init() { sources = Mutex([]) }

  /// - Parameters:
  ///   - interactions: a file whose content does not matter any more.
  ///   - features: those of the data set with their digests; mapped if they come from files.
  init(interactions: DigestedFile, features: [DigestedFeature]) throws(DatasetError) {
    var found = [Self.inMemory(interactions)]
    for feature in features {
      if let file = feature.matrix.file { found.append(Self.mapped(file, of: feature)) }
      for lists in feature.matrix.neighbours {
        found.append(Self.inMemory(try DigestedFile(path: lists.path)))
      }
    }
    sources = Mutex(found)
  }

  private static func inMemory(_ file: DigestedFile) -> Source {
    Source(
      path: file.path, stamp: file.stamp, isSampleUnchanged: { true },
      isContentUnchanged: { file.isUnchanged })
  }

  private static func mapped(_ file: NPYFile, of feature: DigestedFeature) -> Source {
    let sample = file.sampleDigest
    return Source(
      path: file.path, stamp: file.stamp, isSampleUnchanged: { file.sampleDigest == sample },
      isContentUnchanged: { feature.isUnchanged })
  }

  /// Compares sizes, times and a sample of mapped files; reads a whole file only if these indicate
  /// a write.
  ///
  /// - Returns: a warning for every file that was replaced or removed; the data set keeps what it
  ///   read. Each file is reported once.
  /// - Throws: ``DatasetError`` of the kind `changed` for a file that was overwritten.
  package func check() throws(DatasetError) -> [String] {
    let (problem, notices) = sources.withLock { sources -> (DatasetError?, [String]) in
      var notices: [String] = []
      for index in sources.indices {
        switch Self.inspect(&sources[index]) {
        case .unchanged: break
        case .replaced(let notice): notices.append(notice)
        case .overwritten(let problem): return (problem, notices)
        }
      }
      return (nil, notices)
    }
    if let problem { throw problem }
    return notices
  }

  private enum Finding {
    case unchanged
    case replaced(String)
    case overwritten(DatasetError)
  }

  private static func inspect(_ source: inout Source) -> Finding {
    let found = FileStamp(path: source.path)
    // Other errors do not show that the file is gone: a network share may be unreachable.
    if found == nil, errno != ENOENT, errno != ENOTDIR { return .unchanged }
    guard let stamp = found, stamp.isSameFile(as: source.stamp) else {
      guard !source.isReportedAsReplaced else { return .unchanged }
      source.isReportedAsReplaced = true
      return .replaced(
        "\(source.path): was deleted, moved or replaced during the run. The run continues with the "
          + "data that it has read, but a process that restarts reads other data and cannot join")
    }
    // Compare sizes first: reading a mapped page beyond the end of a file is a bus error.
    guard stamp.hasSize(of: source.stamp) else { return .overwritten(changed(source.path)) }
    if stamp != source.stamp {
      guard source.isContentUnchanged() else { return .overwritten(changed(source.path)) }
      source.stamp = stamp
    }
    // Some file systems update times late or round them, so compare a sample as well.
    return source.isSampleUnchanged() ? .unchanged : .overwritten(changed(source.path))
  }

  /// Whether no file was overwritten so far. Reports nothing about replaced files.
  package var isUnchanged: Bool {
    sources.withLock { sources in
      sources.allSatisfy { source in
        var copy = source
        if case .overwritten = Self.inspect(&copy) { return false }
        return true
      }
    }
  }

  private static func changed(_ path: String) -> DatasetError {
    DatasetError(
      .changed, path: path,
      "was overwritten during the run, so its results would come from a mixture of old and new "
        + "data: restore the file and start the same command again, or train again with "
        + "--overwrite. To replace data safely, write a new file and rename it over the old one")
  }
}

/// Features with their digest, so that they need not be read twice at the start, and can be
/// compared later.
struct DigestedFeature: Sendable {
  let matrix: FeatureMatrix
  let digest: String

  init(_ matrix: FeatureMatrix) {
    self.matrix = matrix
    digest = matrix.contentDigest()
  }

  /// Whether the features still have the digest. Reads all of them.
  var isUnchanged: Bool { matrix.contentDigest() == digest }
}
