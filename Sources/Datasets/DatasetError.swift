internal import ForeignText

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
    /// The operating system has no descriptor to spare. That passes.
    case noDescriptor
    /// A file does not follow its format, or was cut off.
    case malformed
    /// Every file is well formed, but together they make no data set to train on.
    case inconsistent
    /// A file was overwritten while it was in use.
    case changed
    /// What was asked for cannot be done, whatever the files hold.
    case configuration
  }

  public let kind: Kind
  /// The file or folder; for data sets built in memory, their name.
  public let path: String
  /// Line of the file, from 1.
  public let line: Int?
  /// The sentence, without the place.
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
    let place = path.printable()
    return line.map { "\(place):\($0): \(message)" } ?? "\(place): \(message)"
  }
}
