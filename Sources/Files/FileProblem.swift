#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Why a file cannot be used.
package enum FileProblem: Error, Sendable, Equatable {
  /// The operating system refused, with this `errno`.
  case system(Int32)
  /// Another kind of thing was needed.
  case kind(found: FileKind, needed: FileKind)
  /// The file has more bytes than it may have.
  case tooLarge(limit: Int)
  /// The folder has more entries than it may have.
  case tooMany(limit: Int)

  /// Whether nothing is there.
  package var isMissing: Bool { self == .system(ENOENT) || self == .system(ENOTDIR) }

  /// Whether this process, or the whole system, has too many files open: which may pass.
  package var isNoDescriptor: Bool { self == .system(EMFILE) || self == .system(ENFILE) }

  /// What follows a colon: `it is a named pipe, not a plain file`.
  package var reason: String {
    switch self {
    case .system(let code): String(cString: strerror(code))
    case .kind(let found, let needed): "it is \(found.words), not \(needed.words)"
    case .tooLarge(let limit): "it has more than \(limit) bytes"
    case .tooMany(let limit): "it has more than \(limit) entries"
    }
  }
}
