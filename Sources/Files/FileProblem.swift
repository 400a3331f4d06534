#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Why a file cannot be used.
package enum FileProblem: Error, Sendable, Equatable {
  /// The operating system refused, with this `errno`.
  case system(Int32)
  /// The path refers to another kind of file than needed.
  case kind(found: FileKind, needed: FileKind)
  /// The file has more bytes than it may have.
  case tooLarge(limit: Int)
  /// The folder has more entries than it may have.
  case tooMany(limit: Int)

  /// Whether the file does not exist.
  package var isMissing: Bool { self == .system(ENOENT) || self == .system(ENOTDIR) }

  /// Whether this process or the whole system has too many files open; a retry may succeed.
  package var isTooManyOpenFiles: Bool { self == .system(EMFILE) || self == .system(ENFILE) }

  /// The reason as words after a colon: `it is a named pipe, not a regular file`.
  package var reason: String {
    switch self {
    case .system(let code): String(cString: strerror(code))
    case .kind(let found, let needed): "it is \(found.words), not \(needed.words)"
    case .tooLarge(let limit): "it has more than \(limit) bytes"
    case .tooMany(let limit): "it has more than \(limit) entries"
    }
  }
}

/// The kind of file that a path refers to.
package enum FileKind: Sendable, Equatable {
  case plain
  case folder
  case pipe
  case socket
  case device
  case other

  init(_ mode: mode_t) {
    self =
      switch mode & S_IFMT {
      case S_IFREG: .plain
      case S_IFDIR: .folder
      case S_IFIFO: .pipe
      case S_IFSOCK: .socket
      case S_IFCHR, S_IFBLK: .device
      default: .other
      }
  }

  /// For messages: `a named pipe`.
  package var words: String {
    switch self {
    case .plain: "a regular file"
    case .folder: "a folder"
    case .pipe: "a named pipe"
    case .socket: "a socket"
    case .device: "a device"
    case .other: "something else"
    }
  }

  /// - Returns: nil if nothing is there or it cannot be examined.
  package static func of(_ path: String) -> FileKind? {
    var status = stat()
    return stat(path, &status) == 0 ? FileKind(status.st_mode) : nil
  }
}
