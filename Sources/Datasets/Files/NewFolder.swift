import Files
internal import Foundation

/// A folder that appears under its name only when all its files are complete.
///
/// Files are written into a hidden folder next to the target, which is renamed at the end. A folder
/// that is not committed is removed when the writer is released.
package final class NewFolder {
  /// What a folder holds. It decides what may be replaced: a mistyped path must not cost other
  /// files.
  package struct Content: Sendable {
    /// Such as `data set`.
    let word: String
    /// Why a folder is none, such as `it has no .inter file`.
    let lack: String
    /// Whether a file of this name makes a folder one.
    let isSign: @Sendable (String) -> Bool
    /// Whether such a folder may hold a file of this name.
    let isPart: @Sendable (String) -> Bool

    /// - Parameters:
    ///   - word: such as `data set`.
    ///   - sign: the name of a file that every such folder has.
    ///   - isPart: whether such a folder may hold a file of a name.
    package init(word: String, sign: String, isPart: @escaping @Sendable (String) -> Bool) {
      self.word = word
      lack = "it has no \(sign)"
      isSign = { $0 == sign }
      self.isPart = isPart
    }

    private init(
      word: String, lack: String, isSign: @escaping @Sendable (String) -> Bool,
      isPart: @escaping @Sendable (String) -> Bool
    ) {
      self.word = word
      self.lack = lack
      self.isSign = isSign
      self.isPart = isPart
    }

    /// A data set.
    package static let dataset = Content(
      word: "data set", lack: "it has no .inter file",
      isSign: { $0.hasSuffix(".inter") || $0 == "dataset.yaml" },
      isPart: { name in
        let tables = IdentifierTable.Kind.allCases.flatMap(\.files)
        return name.hasSuffix(".inter") || name.hasSuffix(".npy")
          || (tables + ["dataset.yaml", "truth.json"]).contains(name)
      })
  }

  /// The name that the folder gets.
  package let path: String
  /// Where files are written until ``commit()``.
  package let workPath: String
  private let replacesExisting: Bool
  private let content: Content
  private var isCommitted = false

  /// - Parameters:
  ///   - path: the folder to make. It may exist if it is empty, or if it is to be replaced.
  ///   - replacesExisting: whether a folder with files may be replaced, once all is written.
  ///   - content: what it holds, and what a folder must hold to be replaced.
  /// - Throws: ``DatasetError`` if there is something at the path that may not be replaced, or the
  ///   folder cannot be made.
  package init(
    path: String, replacesExisting: Bool, content: Content = .dataset
  ) throws(DatasetError) {
    self.content = content
    let target = URL(fileURLWithPath: path).standardizedFileURL
    self.path = target.path
    self.replacesExisting = replacesExisting
    // A long name would leave no room for what is added to it.
    let name = target.lastPathComponent.prefix(40)
    workPath =
      target.deletingLastPathComponent()
      .appendingPathComponent(".\(name).partial-\(UUID().uuidString)").path
    try Self.check(path, replacesExisting: replacesExisting, content)
    do {
      try FileManager.default.createDirectory(
        atPath: workPath, withIntermediateDirectories: true)
    } catch {
      throw Self.unwritable(path, error)
    }
  }

  /// Begins a folder that is made from other files.
  ///
  /// - Parameter sources: files and folders that are read.
  /// - Throws: ``DatasetError`` if one of them would be replaced, or as
  ///   ``init(path:replacesExisting:)``.
  package convenience init(
    path: String, replacesExisting: Bool, content: Content = .dataset, from sources: String...
  ) throws(DatasetError) {
    try self.init(
      path: path, replacesExisting: replacesExisting, content: content, from: sources)
  }

  /// As the one with a list of sources.
  package convenience init(
    path: String, replacesExisting: Bool, content: Content = .dataset, from sources: [String]
  ) throws(DatasetError) {
    let resolved = { (path: String) in
      URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
    }
    let target = resolved(path)
    for source in sources {
      guard resolved(source) == target || resolved(source).hasPrefix("\(target)/") else { continue }
      throw DatasetError(
        .configuration, path: path,
        "is or holds '\(source.sanitized(atMost: 200))', which is read: it would be replaced by "
          + "what is made from it; name another folder with --out")
    }
    try self.init(path: path, replacesExisting: replacesExisting, content: content)
  }

  deinit {
    if !isCommitted { try? FileManager.default.removeItem(atPath: workPath) }
  }

  /// The path of a file of the folder while it is written.
  package func path(of file: String) -> String {
    (workPath as NSString).appendingPathComponent(file)
  }

  /// Gives the folder its name, and removes the one that it replaces.
  ///
  /// - Throws: ``DatasetError`` if that fails; what was there before is kept.
  package func commit() throws(DatasetError) {
    try Self.check(path, replacesExisting: replacesExisting, content)
    let manager = FileManager.default
    let url = URL(fileURLWithPath: path)
    do {
      if manager.fileExists(atPath: path) {
        let old = "\(workPath)-old"
        try manager.moveItem(atPath: path, toPath: old)
        do {
          try manager.moveItem(atPath: workPath, toPath: path)
        } catch {
          try? manager.moveItem(atPath: old, toPath: path)
          throw error
        }
        try? manager.removeItem(atPath: old)
      } else {
        try manager.moveItem(atPath: workPath, toPath: path)
      }
    } catch {
      throw Self.unwritable(path, error)
    }
    isCommitted = true
    try Self.synchronize(url.deletingLastPathComponent().path)
  }

  private static func check(
    _ path: String, replacesExisting: Bool, _ content: Content
  ) throws(DatasetError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return }
    guard isFolder.boolValue else {
      throw DatasetError(
        .configuration, path: path, "is a file; name a folder that does not exist yet with --out")
    }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: path)
    } catch {
      throw DatasetError(
        .unreadable, path: path, "cannot be listed: \(error.localizedDescription)")
    }
    guard names.isEmpty || replacesExisting else {
      throw DatasetError(
        .configuration, path: path,
        "is a folder with files; name another one with --out, or replace it with --overwrite")
    }
    // A mistyped folder would be lost with all that is in it.
    guard names.isEmpty || names.contains(where: content.isSign) else {
      throw DatasetError(
        .configuration, path: path,
        "is a folder with files, but no \(content.word) (\(content.lack)), so --overwrite does not "
          + "replace it; name another one with --out")
    }
    let folder = URL(fileURLWithPath: path)
    if let foreign = names.sorted().first(where: { name in
      !content.isPart(name) || FileKind.of(folder.appendingPathComponent(name).path) == .folder
    }) {
      throw DatasetError(
        .configuration, path: path,
        "holds '\(foreign.sanitized(atMost: 80))', which is no part of a \(content.word), so "
          + "--overwrite does not replace it; move that away, or name another folder with --out")
    }
  }

  private static func synchronize(_ folder: String) throws(DatasetError) {
    let descriptor: Int32
    do {
      descriptor = try PlainFile.openFolder(folder)
    } catch {
      throw DatasetError(
        .unwritable, path: folder, "cannot be opened to synchronise it: \(error.reason)")
    }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else {
      throw DatasetError(
        .unwritable, path: folder, "cannot be synchronised: \(String(cString: strerror(errno)))")
    }
  }

  private static func unwritable(_ path: String, _ error: any Error) -> DatasetError {
    DatasetError(
      .unwritable, path: path,
      "cannot be made: \(error.localizedDescription); choose a folder that can be written to and "
        + "has space left")
  }
}
