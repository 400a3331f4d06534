internal import Files
import Foundation

/// What the operating system said about the last call that failed.
enum SystemError {
  /// The reason in words, such as `No such file or directory`.
  static var reason: String { String(cString: strerror(errno)) }

  /// A refusal to read `path`.
  static func reading(_ path: String, _ problem: FileProblem) -> DatasetError {
    let kind: DatasetError.Kind =
      problem.isMissing ? .notFound : problem.isNoDescriptor ? .noDescriptor : .unreadable
    return DatasetError(
      kind, path: path, "cannot be opened for reading: \(problem.reason)")
  }

  /// A refusal to write `path`.
  static func writing(_ path: String, _ problem: FileProblem? = nil) -> DatasetError {
    let problem = problem ?? .system(errno)
    guard !problem.isNoDescriptor else {
      return DatasetError(
        .noDescriptor, path: path,
        "cannot be written: \(problem.reason); raise the limit of open files (ulimit -n)")
    }
    return DatasetError(
      .unwritable, path: path,
      "cannot be written: \(problem.reason); choose a folder that can be written to "
        + "and has space left")
  }
}
