import Files
internal import Foundation

/// Why a data set cannot be read, used or written: one sentence that names the file (and the line,
/// where there is one), what was found, what was expected and what to do about it.
public struct DatasetError: Error, Sendable, Equatable {
  /// What sort of problem it is, for exit codes and for tests.
  public enum Kind: String, Sendable, Codable {
    /// A file or folder that is needed is not there.
    case notFound
    /// The operating system refused to read.
    case unreadable
    /// The operating system refused to write.
    case unwritable
    /// The process or the system has too many files open; a retry may succeed.
    case tooManyOpenFiles
    /// A file does not follow its format, or was cut off.
    case malformed
    /// Every file is well formed, but together they make no data set to train on.
    case inconsistent
    /// A file was overwritten while it was in use.
    case changed
    /// The request itself cannot be fulfilled, whatever the files hold.
    case configuration
  }

  public let kind: Kind
  /// The file or folder; for data sets built in memory, their name.
  public let path: String
  /// Line of the file, from 1.
  public let line: Int?
  /// The message, without path and line.
  public let message: String

  public init(_ kind: Kind, path: String, line: Int? = nil, _ message: String) {
    self.kind = kind
    self.path = path
    self.line = line
    self.message = message
  }
}

extension DatasetError: CustomStringConvertible {
  /// `path:line: sentence`, the form that editors and terminals can follow.
  public var description: String {
    let place = path.withoutControlCharacters()
    return line.map { "\(place):\($0): \(message)" } ?? "\(place): \(message)"
  }
}

/// Errors for system calls that failed.
enum SystemError {
  /// `path` cannot be read.
  static func reading(_ path: String, _ problem: FileProblem) -> DatasetError {
    let kind: DatasetError.Kind =
      problem.isMissing ? .notFound : problem.isTooManyOpenFiles ? .tooManyOpenFiles : .unreadable
    return DatasetError(
      kind, path: path, "cannot be opened for reading: \(problem.reason)")
  }

  /// `path` cannot be written.
  static func writing(_ path: String, _ problem: FileProblem? = nil) -> DatasetError {
    let problem = problem ?? .system(errno)
    guard !problem.isTooManyOpenFiles else {
      return DatasetError(
        .tooManyOpenFiles, path: path,
        "cannot be written: \(problem.reason); raise the limit of open files (ulimit -n)")
    }
    return DatasetError(
      .unwritable, path: path,
      "cannot be written: \(problem.reason); choose a folder that can be written to "
        + "and has space left")
  }
}

/// Collects problems up to a limit. With a limit of 1 it makes a reader stop at its first problem;
/// with a higher one, the same reader lists what it finds.
struct ProblemLog {
  private let limit: Int
  private(set) var problems: [DatasetError] = []

  /// - Precondition: `limit > 0`.
  init(limit: Int) {
    precondition(limit > 0, "ProblemLog(limit: \(limit))")
    self.limit = limit
  }

  private var isFull: Bool { problems.count >= limit }

  /// Records a problem.
  ///
  /// - Throws: the problem itself once the log is full: the reader should stop.
  mutating func report(_ problem: DatasetError) throws(DatasetError) {
    problems.append(problem)
    if isFull { throw problem }
  }

  /// Runs one stage of a reader. An error of the stage becomes a recorded problem, and the reader
  /// may continue without the stage's result.
  mutating func attempt<Result>(
    _ stage: (inout ProblemLog) throws(DatasetError) -> Result
  ) throws(DatasetError) -> Result? {
    do {
      return try stage(&self)
    } catch {
      if isFull { throw error }
      try report(error)
      return nil
    }
  }
}
