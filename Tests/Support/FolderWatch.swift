#if canImport(Glibc)
  import Glibc

  /// Events in some folders in their order, as the system reports them: files that get their names
  /// or are removed, and folders that are opened, as for synchronising.
  public final class FolderWatch {
    /// Paths are relative to the root; "" is the root.
    public enum Event: Sendable, Equatable {
      case named(String)
      case deleted(String)
      case opened(String)
    }

    private let descriptor: Int32
    /// Folders by watch descriptor.
    private var folders: [Int32: String] = [:]

    /// - Parameters:
    ///   - root: a folder.
    ///   - folders: folders in it that are watched too; folders inside these are not.
    public init(_ root: String, _ folders: String...) throws {
      descriptor = inotify_init1(O_NONBLOCK | O_CLOEXEC)
      for folder in [""] + folders {
        let mask = IN_MOVED_TO | IN_DELETE | IN_OPEN
        let watch = inotify_add_watch(descriptor, "\(root)/\(folder)", UInt32(mask))
        guard watch >= 0 else {
          throw FuzzFailure("cannot watch \(folder): \(String(cString: strerror(errno)))")
        }
        self.folders[watch] = folder
      }
    }

    deinit { close(descriptor) }

    /// Events since the last call.
    public func events() -> [Event] {
      var result: [Event] = []
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return result }
        result += buffer.prefix(count).withUnsafeBytes { events(in: $0) }
      }
    }

    private func events(in bytes: UnsafeRawBufferPointer) -> [Event] {
      var result: [Event] = []
      var offset = 0
      let headByteCount = MemoryLayout<inotify_event>.size
      while offset + headByteCount <= bytes.count {
        let head = bytes.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
        let name = bytes[(offset + headByteCount)...].prefix(Int(head.len)).prefix { $0 != 0 }
        offset += headByteCount + Int(head.len)
        guard let folder = folders[head.wd] else { continue }
        let file = String(decoding: name, as: UTF8.self)
        let path = folder.isEmpty || file.isEmpty ? folder + file : "\(folder)/\(file)"
        if head.mask & UInt32(IN_MOVED_TO) != 0 { result.append(.named(path)) }
        if head.mask & UInt32(IN_DELETE) != 0 { result.append(.deleted(path)) }
        if head.mask & UInt32(IN_OPEN) != 0, file.isEmpty { result.append(.opened(path)) }
      }
      return result
    }
  }
#endif
