import Foundation

/// What the operating system said about the last call that failed.
enum SystemError {
  /// The reason in words, such as `No such file or directory`.
  static var reason: String { String(cString: strerror(errno)) }

  /// A refusal to read `path`, in the kind that fits `errno`.
  static func reading(_ path: String) -> DatasetError {
    let kind: DatasetError.Kind = errno == ENOENT || errno == ENOTDIR ? .notFound : .unreadable
    return DatasetError(kind, path: path, "cannot be opened for reading: \(reason)")
  }

  /// A refusal to write `path`.
  static func writing(_ path: String) -> DatasetError {
    DatasetError(
      .unwritable, path: path,
      "cannot be written: \(reason); choose a folder that can be written to and has space left")
  }
}
