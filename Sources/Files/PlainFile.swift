#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The one place where files are opened by name.
///
/// A path may refer to anything: opening a named pipe waits until its other end is opened, and
/// opening a device or a terminal can have side effects. So the kind of file is checked, the file
/// is opened without waiting, and the kind is checked again through the descriptor.
package enum PlainFile {
  /// What a file is opened for.
  package enum Mode: Sendable {
    case read
    /// For writing from the beginning; created if it is not there.
    case replace
    /// For writing at the end; created if it is not there.
    case append
    /// For writing and reading back; it must not be there yet, not even as a link.
    case create
    /// For reading and writing in place; created if it is not there.
    case update

    fileprivate var flags: Int32 {
      switch self {
      case .read: O_RDONLY
      // Truncated later, once it is known to be a regular file.
      case .replace: O_WRONLY | O_CREAT
      case .append: O_WRONLY | O_CREAT | O_APPEND
      case .create: O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW
      case .update: O_RDWR | O_CREAT
      }
    }
  }

  /// Opens a regular file.
  ///
  /// - Parameter permissions: those of a created file, before the umask.
  /// - Returns: the descriptor, which the caller closes. Child processes do not inherit it.
  package static func open(
    _ path: String, _ mode: Mode, permissions: mode_t = 0o644
  ) throws(FileProblem) -> Int32 {
    try check(path)
    let descriptor = try open(path, flags: mode.flags, permissions, needed: .plain)
    if case .replace = mode, ftruncate(descriptor, 0) != 0 {
      let code = errno
      close(descriptor)
      throw .system(code)
    }
    return descriptor
  }

  /// Opens a folder, to list or to synchronise it.
  ///
  /// - Returns: the descriptor, which the caller closes.
  package static func openFolder(_ path: String) throws(FileProblem) -> Int32 {
    if let found = FileKind.of(path), found != .folder {
      throw .kind(found: found, needed: .folder)
    }
    return try open(path, flags: O_RDONLY | O_DIRECTORY, 0, needed: .folder)
  }

  /// Throws if the path exists and is not a regular file. For libraries that open files themselves.
  package static func check(_ path: String) throws(FileProblem) {
    if let found = FileKind.of(path), found != .plain {
      throw .kind(found: found, needed: .plain)
    }
  }

  /// All bytes of a file.
  ///
  /// - Parameter limit: how many it may have.
  package static func contents(
    of path: String, atMost limit: Int
  ) throws(FileProblem) -> [UInt8] {
    let descriptor = try open(path, .read)
    defer { close(descriptor) }
    return try contents(of: descriptor, atMost: limit)
  }

  /// All bytes from a descriptor's position on. The size that the system reports is not used: it is
  /// 0 for files of `/proc`, and other files may grow.
  package static func contents(
    of descriptor: Int32, atMost limit: Int
  ) throws(FileProblem) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: min(limit + 1, 64 << 10))
    while true {
      let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system(errno) }
      if count == 0 { return bytes }
      bytes += chunk[..<count]
      guard bytes.count <= limit else { throw .tooLarge(limit: limit) }
    }
  }

  /// The first bytes of a file, which identify its format; all bytes of a shorter file.
  package static func beginning(
    of path: String, byteCount: Int
  ) throws(FileProblem) -> [UInt8] {
    let descriptor = try open(path, .read)
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: byteCount)
    let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
    guard count >= 0 else { throw .system(errno) }
    return Array(bytes[..<count])
  }

  /// The names in a folder, sorted.
  ///
  /// - Parameter limit: how many there may be.
  package static func names(
    in folder: String, atMost limit: Int
  ) throws(FileProblem) -> [String] {
    let descriptor = try openFolder(folder)
    guard let entries = fdopendir(descriptor) else {
      let code = errno
      close(descriptor)
      throw .system(code)
    }
    defer { closedir(entries) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(entries) else {
        guard errno == 0 else { throw .system(errno) }
        return names.sorted()
      }
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)) {
          String(cString: $0)
        }
      }
      if name == "." || name == ".." { continue }
      guard names.count < limit else { throw .tooMany(limit: limit) }
      names.append(name)
    }
  }

  private static func open(
    _ path: String, flags: Int32, _ permissions: mode_t, needed: FileKind
  ) throws(FileProblem) -> Int32 {
    // O_NOCTTY: a terminal must not become the controlling terminal of this process.
    let all = flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
    var descriptor: Int32
    repeat { descriptor = openFile(path, all, permissions) } while descriptor < 0 && errno == EINTR
    guard descriptor >= 0 else { throw .system(errno) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw .system(code)
    }
    let found = FileKind(status.st_mode)
    guard found == needed else {
      close(descriptor)
      throw .kind(found: found, needed: needed)
    }
    return descriptor
  }
}

/// The system call, whose name the functions above hide.
private func openFile(_ path: String, _ flags: Int32, _ permissions: mode_t) -> Int32 {
  open(path, flags, permissions)
}
