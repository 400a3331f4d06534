import Files
import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Checkpoints in a folder that the coordinator and all servers share.
struct FolderStorage: CheckpointStorage {
  let folder: String
  var localFolder: String? { folder }

  /// Most entries of the folder.
  private static let mostEntries = 1 << 20

  func names() throws(CheckpointError) -> [CheckpointName] {
    do {
      return try PlainFile.names(in: folder, atMost: Self.mostEntries)
        .compactMap { CheckpointName(folder: $0) }
    } catch .system(ENOENT) {
      return []
    } catch {
      throw CheckpointError(error, "read the folder '\(folder)'", isReading: true)
    }
  }

  func files(of name: CheckpointName) -> [String] {
    (try? PlainFile.names(in: path(of: name.folder), atMost: Self.mostEntries))?.sorted() ?? []
  }

  func open(_ file: String) throws(CheckpointError) -> any ReadableFile {
    let path = path(of: file)
    return try FileDescriptor(path, .read, purpose: "read '\(path)'")
  }

  func byteCount(of file: String) throws(CheckpointError) -> Int {
    var status = stat()
    guard stat(path(of: file), &status) == 0 else {
      throw .system("read '\(path(of: file))'", errno: errno, .missing)
    }
    return Int(status.st_size)
  }

  func writer(
    of file: String, in name: CheckpointName, byteCount: Int
  ) throws(CheckpointError) -> any FileWriter {
    try makePlace(of: name)
    return try DurableFileWriter(path: path(of: file))
  }

  func makePlace(of name: CheckpointName) throws(CheckpointError) {
    // The parent of `folder` is not created: if it is missing, the right disk is not mounted, and
    // the files would end up on another disk.
    for folder in [folder, path(of: name.folder)] {
      try DurableFile.makeFolder(folder, makesParents: false)
    }
  }

  func write(_ bytes: [UInt8], to file: String) throws(CheckpointError) {
    try DurableFile.write(bytes, to: path(of: file))
  }

  func link(_ file: String, to other: String, in name: CheckpointName) -> Bool {
    do throws(CheckpointError) {
      try makePlace(of: name)
      // What lies there has another size: it is no copy.
      unlink(path(of: other))
      guard hardLink(path(of: file), path(of: other)) == 0 else { return false }
      try DurableFile.synchronizeFolder(path(of: name.folder))
      return true
    } catch {
      return false
    }
  }

  func delete(_ file: String) throws(CheckpointError) {
    guard unlink(path(of: file)) == 0 || errno == ENOENT else {
      throw .system("delete '\(path(of: file))'", errno: errno)
    }
    let parent = FilePath.parent(of: path(of: file))
    if access(parent, F_OK) == 0 { try DurableFile.synchronizeFolder(parent) }
  }

  func deleteFiles(of name: CheckpointName) throws(CheckpointError) {
    let path = path(of: name.folder)
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      throw CheckpointError(
        .inputOutput, "Cannot delete '\(path)': \(error.localizedDescription)")
    }
  }

  func deleteEmpty(_ name: CheckpointName) { rmdir(path(of: name.folder)) }

  /// Unfinished files lie in the folders of their checkpoints, and are deleted with them.
  func deleteUnfinished(through newest: CheckpointName) {}

  func prepare() throws(CheckpointError) {
    try DurableFile.makeFolder(folder)
    guard access(folder, W_OK | X_OK) == 0 else {
      throw .system("write checkpoints into '\(folder)'", errno: errno, .cannotCreate)
    }
  }
}

/// The system call, whose name a method has too.
private func hardLink(_ path: String, _ other: String) -> Int32 { link(path, other) }
