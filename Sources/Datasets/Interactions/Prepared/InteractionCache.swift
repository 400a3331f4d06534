internal import Foundation
import Tensors

/// Keeps the interactions of large text files in binary form in a folder.
///
/// The name of a file has the digest of the text it was made from, so text that changed is parsed
/// again. Processes that start at once may all prepare the same text: each replaces the file by one
/// with the same bytes.
public struct InteractionCache: Sendable {
  /// Smaller texts are parsed at every start: that takes no longer than a tenth of a second.
  public static let smallestByteCount = 8 << 20

  private let folder: String
  private let smallestByteCount: Int
  private let report: @Sendable (InteractionCacheEvent) -> Void

  /// - Parameters:
  ///   - folder: where files are kept, created if needed. Data sets and processes may share one.
  ///   - smallestByteCount: smaller texts are not prepared.
  ///   - report: called for what happens, and while a text is prepared.
  public init(
    folder: String, smallestByteCount: Int = Self.smallestByteCount,
    report: @escaping @Sendable (InteractionCacheEvent) -> Void = { _ in }
  ) {
    self.folder = folder
    self.smallestByteCount = smallestByteCount
    self.report = report
  }

  /// The interactions of a text file and the state of that file, prepared now if they were not.
  ///
  /// - Returns: nil if the text is small, has a problem, or the prepared form cannot be written:
  ///   the text is read instead, which names the problem.
  func interactions(
    of path: String
  ) throws(DatasetError) -> (prepared: PreparedInteractions, source: DigestedFile)? {
    let text = try MappedFile(path: path)
    guard text.bytes.count >= smallestByteCount else { return nil }
    let source = DigestedFile(text)
    let target = (folder as NSString).appendingPathComponent("interactions-\(source.digest).bin")
    if let found = read(target, source) {
      report(.loaded(path: target))
      return (found, source)
    }
    let start = ContinuousClock.now
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let writer = try InteractionPreparation(text, digest: source.digest, target: target)
      guard try writer.write(progress: { report(.preparing(path: path, share: $0)) }) else {
        return nil
      }
    } catch let error as DatasetError {
      report(.notWritten(path: target, reason: error.message))
      return nil
    } catch {
      report(.notWritten(path: target, reason: error.localizedDescription))
      return nil
    }
    guard let made = read(target, source) else { return nil }
    report(
      .prepared(
        path: path, count: made.counts.interactions.reduce(0, +),
        duration: ContinuousClock.now - start))
    return (made, source)
  }

  private func read(_ path: String, _ source: DigestedFile) -> PreparedInteractions? {
    do {
      return try PreparedInteractions(path: path, source: source.digest)
    } catch {
      report(.refused(path: path, reason: error.message))
      return nil
    }
  }
}

/// What happened to interactions that are kept in binary form.
public enum InteractionCacheEvent: Sendable, Equatable, CustomStringConvertible {
  /// A part of the text is read, from 0 to 1.
  case preparing(path: String, share: Double)
  case prepared(path: String, count: Int, duration: Duration)
  case loaded(path: String)
  /// The file stays until it is replaced.
  case refused(path: String, reason: String)
  /// The run continues without the file.
  case notWritten(path: String, reason: String)

  public var description: String {
    switch self {
    case .preparing(let path, let share):
      return "Reading \(path): \(Int(share * 100)) %."
    case .prepared(let path, let count, let duration):
      let seconds = (duration / .milliseconds(10)).rounded() / 100
      return "Prepared \(count) interactions of '\(path)' in \(seconds) s."
    case .loaded(let path):
      return "Read interactions from '\(path)'."
    case .refused(let path, let reason):
      return "Cannot use the prepared interactions '\(path)': the file \(reason). It is made again."
    case .notWritten(let path, let reason):
      return "Cannot keep the prepared interactions in '\(path)': \(reason). Every start parses "
        + "the text."
    }
  }
}
