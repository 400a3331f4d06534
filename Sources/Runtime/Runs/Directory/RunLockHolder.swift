import Files

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Which process holds the lock of a run directory, see ``RunLock``.
enum RunLockHolder: Sendable, Equatable {
  /// The run is not being trained.
  case none
  /// A process of this machine, which has the lock's file open: it is the one that wrote its id
  /// there, and not a later one with the same id.
  case process(Int32)
  /// A process that cannot be identified from here: of another machine or another user.
  case unknown(processID: Int32?)

  /// As its lock names it.
  var processID: Int32? {
    switch self {
    case .none: nil
    case .process(let id): id
    case .unknown(let id): id
    }
  }

  /// Looks at a run directory. The lock is not taken from a process that starts meanwhile:
  /// ``RunLock`` tries again.
  init(of directory: String) {
    let path = "\(directory)/lock"
    guard let descriptor = try? PlainFile.open(path, .read) else {
      self = .none
      return
    }
    defer { close(descriptor) }
    let bytes = (try? PlainFile.contents(of: descriptor, atMost: 64)) ?? []
    let owner = Int32(String(decoding: bytes, as: UTF8.self).prefix { $0 != "\n" })
    if let owner, owner > 0, Self.hasOpen(descriptor, owner) {
      self = .process(owner)
    } else if flock(descriptor, LOCK_SH | LOCK_NB) == 0 {
      self = .none
    } else {
      // On a file system without locks a run cannot be seen to be trained.
      self = errno == EWOULDBLOCK ? .unknown(processID: owner) : .none
    }
  }

  /// Looks at the directory of a run, and at that of the sweep that the run is in: the process of a
  /// sweep holds its lock alone.
  init(ofRunIn directory: String) {
    self = RunLockHolder(of: directory)
    guard self == .none else { return }
    // A sweep's runs are in its folder `runs`.
    let sweep = FilePath.parent(of: FilePath.parent(of: FilePath.absolute(directory)))
    if ForeignFolder.isSweep(sweep) { self = RunLockHolder(of: sweep) }
  }

  /// Whether a process has the same file open; false if this user may not see that. That this
  /// process looks at it does not count: in a container its id may be that of one before.
  private static func hasOpen(_ descriptor: Int32, _ process: Int32) -> Bool {
    var wanted = stat()
    let folder = "/proc/\(process)/fd"
    guard fstat(descriptor, &wanted) == 0,
      let names = try? PlainFile.names(in: folder, atMost: 1 << 20)
    else { return false }
    // The descriptor that this process asks with is not the owner's.
    let own = process == getpid() ? "\(descriptor)" : nil
    return names.contains { name in
      if process == getpid(), name == "\(descriptor)" { return false }
      var found = stat()
      return name != own && stat("\(folder)/\(name)", &found) == 0 && found.st_dev == wanted.st_dev
        && found.st_ino == wanted.st_ino
    }
  }
}
