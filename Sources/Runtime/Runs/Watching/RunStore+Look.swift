import Checkpoints
import Coordinator
import Files
import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension RunStore {
  /// The largest file of a store that is looked at, bytes: runs of 10,000 epochs have a tenth.
  private static let largestFile = 256 << 20

  /// What a store holds, from a copy of its files: for those who watch a run and may be another
  /// user, of another release, or on another machine that shares the disk.
  ///
  /// Opening the store itself would bring it to the schema of this release and need the right to
  /// write; and SQLite's write-ahead log must not be open on two machines.
  ///
  /// - Returns: nil if no run was begun in the store.
  /// - Throws: `CoordinationError` if there is no store or it cannot be read, `CheckpointError`
  ///   if the copy cannot be written.
  static func look(at path: String) throws -> StoredRun? {
    let parent = FileManager.default.temporaryDirectory.path
    guard let folder = UniqueFolder.make(in: parent, prefix: "mrdib-") else {
      throw CoordinationError(
        code: .storeUnusable,
        message: "Cannot read '\(path)': no folder for a copy of it can be made: "
          + "\(String(cString: strerror(errno))); set TMPDIR to a folder that is writable.")
    }
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let copy = "\(folder)/run.sqlite"
    try copyFiles(of: path, to: copy)
    do {
      let store = try RunStore(path: copy)
      defer { try? store.close() }
      return try store.load()
    } catch let error as CoordinationError {
      throw CoordinationError(
        code: error.code, message: error.message.replacingOccurrences(of: copy, with: path))
    }
  }

  /// Copies the file and its write-ahead log, again if the run has written meanwhile.
  private static func copyFiles(of path: String, to copy: String) throws {
    for _ in 0..<10 {
      let before = marks(of: path)
      do {
        try write(PlainFile.contents(of: path, atMost: largestFile), to: copy)
        let log = "\(path)-wal"
        let isLogged = FileManager.default.fileExists(atPath: log)
        try write(
          isLogged ? PlainFile.contents(of: log, atMost: largestFile) : [], to: "\(copy)-wal")
      } catch let error as FileProblem {
        throw CoordinationError(
          code: .storeUnusable,
          message: "Cannot read '\(path)': \(error.reason); name the directory of a run.")
      }
      if marks(of: path) == before { return }
      usleep(20_000)
    }
    // It is written all the time. What does not fit together is refused by SQLite.
  }

  private static func write(_ bytes: [UInt8], to path: String) throws {
    let purpose = "write a copy of a run's records to '\(path)'"
    try FileDescriptor(path, .replace, purpose: purpose).writeAll(bytes, purpose: purpose)
  }

  /// Sizes and times of the files.
  private static func marks(of path: String) -> [String] {
    [path, "\(path)-wal"].map { file in
      let attributes = try? FileManager.default.attributesOfItem(atPath: file)
      let date = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
      return "\(date) \(attributes?[.size] as? Int ?? -1)"
    }
  }
}
