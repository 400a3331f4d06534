#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Which file a path or a descriptor leads to. A path can come to lead to another file, or to none;
/// a descriptor stays with the file that was opened.
struct FileIdentity: Sendable, Equatable {
  private let device: UInt64
  private let inode: UInt64

  /// What a path leads to.
  enum Lookup: Equatable {
    case found(FileIdentity)
    case nothing
    /// The system does not say: a share that is away for a while, for instance.
    case unknown
  }

  static func lookup(_ path: String) -> Lookup {
    var status = stat()
    if stat(path, &status) == 0 { return .found(FileIdentity(status)) }
    return errno == ENOENT || errno == ENOTDIR ? .nothing : .unknown
  }

  /// Nil if nothing is there, or the system does not say what.
  init?(path: String) {
    guard case .found(let identity) = Self.lookup(path) else { return nil }
    self = identity
  }

  /// Nil if the descriptor is not open.
  init?(descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }

  private init(_ status: stat) {
    device = UInt64(truncatingIfNeeded: status.st_dev)
    inode = UInt64(truncatingIfNeeded: status.st_ino)
  }
}
