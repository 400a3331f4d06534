import Foundation
import Synchronization
import Tensors

/// The files that a data set was read from, as they were then, so that a run can notice that they
/// are not what it began with.
///
/// Features stay mapped: who overwrites their file changes what is trained on. What was read into
/// memory does not change; but the next process that reads it has other data.
package final class DatasetSources: Sendable {
  /// One of the files.
  private struct Source: Sendable {
    let path: String
    /// As of the last time that the content was known to be the one that was read.
    var stamp: FileStamp
    /// Whether people were told that the path leads to something else.
    var isKnownToBeReplaced = false
    /// Reads a little of what stays mapped.
    let isSampleUnchanged: @Sendable () -> Bool
    /// Reads all of it.
    let isContentUnchanged: @Sendable () -> Bool
  }

  private let sources: Mutex<[Source]>

  /// None: the data set is in memory.
  init() { sources = Mutex([]) }

  /// - Parameters:
  ///   - interactions: path of a file that was read into memory.
  ///   - features: as the digest of the data set has them; mapped if they come from files.
  init(interactions: String, features: [DigestedFeature]) throws(DatasetError) {
    var found = [try Self.inMemory(interactions)]
    for feature in features {
      if let file = feature.matrix.file { found.append(Self.mapped(file, of: feature)) }
      for lists in feature.matrix.neighbours { found.append(try Self.inMemory(lists.path)) }
    }
    sources = Mutex(found)
  }

  private static func inMemory(_ path: String) throws(DatasetError) -> Source {
    let file = try MappedFile(path: path)
    let digest = digest(of: file.bytes)
    return Source(
      path: path, stamp: file.stamp, isSampleUnchanged: { true },
      isContentUnchanged: {
        // Of what cannot be read now it is not known that it has changed.
        (try? MappedFile(path: path)).map { Self.digest(of: $0.bytes) == digest } ?? true
      })
  }

  private static func mapped(_ file: NPYFile, of feature: DigestedFeature) -> Source {
    let sample = file.sampleDigest
    return Source(
      path: file.path, stamp: file.stamp, isSampleUnchanged: { file.sampleDigest == sample },
      isContentUnchanged: { feature.isUnchanged })
  }

  private static func digest(of bytes: UnsafeRawBufferPointer) -> String {
    var digest = ByteDigest()
    digest.append(bytes)
    return digest.text
  }

  /// Looks at sizes, times and a sample of what stays mapped; reads a whole file only if these say
  /// that it was written to.
  ///
  /// - Returns: sentences about files in whose place there is another by now, or none. Each is
  ///   told once: the data set has what it was read from.
  /// - Throws: ``DatasetError`` of the kind `changed` for a file that was overwritten.
  package func check() throws(DatasetError) -> [String] {
    let (problem, notices) = sources.withLock { sources -> (DatasetError?, [String]) in
      var notices: [String] = []
      for index in sources.indices {
        switch Self.look(at: &sources[index]) {
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

  private static func look(at source: inout Source) -> Finding {
    let found = FileStamp(path: source.path)
    // The system may not say what is there now: a share that is away, or no right to look.
    if found == nil, errno != ENOENT, errno != ENOTDIR { return .unchanged }
    guard let stamp = found, stamp.isSameFile(as: source.stamp) else {
      guard !source.isKnownToBeReplaced else { return .unchanged }
      source.isKnownToBeReplaced = true
      return .replaced(
        "\(source.path): was deleted, moved or replaced during the run, which goes on with what "
          + "it was; a process that is started again finds other data and cannot take part")
    }
    // What was cut off cannot be read.
    guard stamp.hasSize(of: source.stamp) else { return .overwritten(changed(source.path)) }
    if stamp != source.stamp {
      guard source.isContentUnchanged() else { return .overwritten(changed(source.path)) }
      source.stamp = stamp
    }
    // Some file systems are late with times, or round them.
    return source.isSampleUnchanged() ? .unchanged : .overwritten(changed(source.path))
  }

  /// Whether nothing was overwritten so far; people are told of nothing.
  package var isUnchanged: Bool {
    sources.withLock { sources in
      sources.allSatisfy { source in
        var copy = source
        if case .overwritten = Self.look(at: &copy) { return false }
        return true
      }
    }
  }

  private static func changed(_ path: String) -> DatasetError {
    DatasetError(
      .changed, path: path,
      "was overwritten during the run, so that its results would be of neither data: put the file "
        + "back as it was and start the same command again, or train anew with --overwrite; "
        + "write new data beside the old and rename it")
  }
}

/// Features with their digest: reading them again shows whether they are still the same, and they
/// need not be read twice at the start.
struct DigestedFeature: Sendable {
  let matrix: FeatureMatrix
  let digest: String

  init(_ matrix: FeatureMatrix) {
    self.matrix = matrix
    digest = matrix.contentDigest()
  }

  /// Reads all of the features.
  var isUnchanged: Bool { matrix.contentDigest() == digest }
}
