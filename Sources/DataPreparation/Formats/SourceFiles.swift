import Datasets
import Files
import Foundation

/// The files of a source: what holds the interactions, and what is next to it.
struct SourceFiles {
  /// One file of interactions.
  struct Part {
    let path: String
    /// The label of all its rows, if the source is one file per part of a split.
    var label: SplitLabel?
  }

  var format: SourceFormat
  var parts: [Part]
  /// A description of the items.
  var items: String?
  /// Original ids of users and of items, by their numbers in the source.
  var userMap: String?
  var itemMap: String?
  /// Files that are copied: features of items.
  var arrays: [String] = []
  /// The folder that may have a `dataset.yaml`; only of a source whose ids are kept.
  var folder: String?
  /// Whether ids are numbers from 0 that features refer to.
  var keepsIDs = false

  private static let mostFiles = 100_000

  /// Finds the files of a source.
  ///
  /// - Parameters:
  ///   - path: a file or a folder.
  ///   - format: as the user says; nil: found by content.
  /// - Throws: ``DatasetError`` if nothing that can be imported is there.
  static func find(_ path: String, format: SourceFormat?) throws(DatasetError) -> SourceFiles {
    switch FileKind.of(path) {
    case nil:
      throw DatasetError(.notFound, path: path, "there is no such file or folder")
    case .folder:
      return try folder(path, format: format)
    default:
      return try file(path, format: format)
    }
  }

  private static func file(
    _ path: String, format: SourceFormat?
  ) throws(DatasetError) -> SourceFiles {
    var files = SourceFiles(
      format: try decide(format, path), parts: [Part(path: path, label: nil)])
    let folder = FilePath.parent(of: path)
    let names = (try? PlainFile.names(in: folder.isEmpty ? "." : folder, atMost: mostFiles)) ?? []
    let name = FilePath.name(of: path)
    let prefix = folder.isEmpty ? "" : folder == "/" ? "/" : "\(folder)/"
    if files.format == .recbole {
      files.items = named([".item"].map { "\(stem(name, of: ".inter"))\($0)" }, in: names)
        .map { prefix + $0 }
    } else if let set = name.components(separatedBy: "_pairs").first, set != name {
      files.items = named(["\(set)_titles.csv", "\(set)_title_en.csv"], in: names)
        .map { prefix + $0 }
    }
    return files
  }

  private static func folder(
    _ path: String, format: SourceFormat?
  ) throws(DatasetError) -> SourceFiles {
    let names: [String]
    do {
      names = try PlainFile.names(in: path, atMost: mostFiles)
    } catch {
      throw DatasetError(.unreadable, path: path, "cannot be listed: \(error.reason)")
    }
    if names.contains(where: { plainName($0) == "train.json" }) {
      return try jsonSplit(path, names, arraysIn: [path])
    }
    if let inner = ["5-core", "0-core"].first(where: { names.contains($0) }),
      let innerNames = try? PlainFile.names(in: "\(path)/\(inner)", atMost: mostFiles),
      innerNames.contains(where: { plainName($0) == "train.json" })
    {
      return try jsonSplit("\(path)/\(inner)", innerNames, arraysIn: ["\(path)/\(inner)", path])
    }
    let interactions = names.filter { plainName($0).hasSuffix(".inter") }
    if let train = interactions.first(where: { plainName($0).hasSuffix(".train.inter") }) {
      return try benchmark(path, names, train: train)
    }
    if !interactions.isEmpty {
      return try atomic(path, names, interactions, format: format)
    }
    return try onlyFile(path, names, format: format)
  }

  /// LATTICE's and MMSSL's folder.
  private static func jsonSplit(
    _ path: String, _ names: [String], arraysIn folders: [String]
  ) throws(DatasetError) -> SourceFiles {
    var parts: [Part] = []
    for (stems, label) in [
      (["train"], SplitLabel.train), (["val", "valid", "validation"], .valid), (["test"], .test),
    ] {
      guard
        let name = names.first(where: { name in stems.contains { plainName(name) == "\($0).json" } }
        )
      else { continue }
      parts.append(Part(path: "\(path)/\(name)", label: label))
    }
    var files = SourceFiles(format: .jsonSplit, parts: parts)
    files.keepsIDs = try beginsWithNumber(parts[0].path)
    if files.keepsIDs {
      // Numbered ids are what the rows of features refer to.
      for folder in folders {
        let names = (try? PlainFile.names(in: folder, atMost: mostFiles)) ?? []
        let taken = Set(files.arrays.map { FilePath.name(of: $0) })
        files.arrays += names.filter { $0.hasSuffix("_feat.npy") && !taken.contains($0) }
          .map { "\(folder)/\($0)" }
      }
    }
    return files
  }

  /// Whether the first key of a JSON object is a number.
  private static func beginsWithNumber(_ path: String) throws(DatasetError) -> Bool {
    let stream = try ByteStream(path: path)
    var start = [UInt8](repeating: 0, count: 256)
    let count = try start.withUnsafeMutableBufferPointer { buffer throws(DatasetError) in
      try stream.read(into: UnsafeMutableRawBufferPointer(buffer))
    }
    let text = start[..<count].filter { $0 != 0x20 && !(0x09...0x0D).contains($0) }
    let key = text.drop { $0 == UInt8(ascii: "{") }.dropFirst()
    return key.first.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
  }

  /// RecBole's three files of a benchmark.
  private static func benchmark(
    _ path: String, _ names: [String], train: String
  ) throws(DatasetError) -> SourceFiles {
    let set = stem(train, of: ".train.inter")
    var parts: [Part] = []
    for (word, label) in [("train", SplitLabel.train), ("valid", .valid), ("test", .test)] {
      guard let name = names.first(where: { plainName($0) == "\(set).\(word).inter" }) else {
        throw DatasetError(
          .notFound, path: path,
          "has \(train.sanitized()), but no \("\(set).\(word).inter".sanitized()): all three parts "
            + "of the split are needed, or give one file")
      }
      parts.append(Part(path: "\(path)/\(name)", label: label))
    }
    var files = SourceFiles(format: .recbole, parts: parts)
    files.items = named(["\(set).item"], in: names).map { "\(path)/\($0)" }
    return files
  }

  /// A folder with `NAME.inter`: RecBole's or MMRec's.
  private static func atomic(
    _ path: String, _ names: [String], _ interactions: [String], format: SourceFormat?
  ) throws(DatasetError) -> SourceFiles {
    let folderName = URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
    let preferred = interactions.filter { plainName($0) == "\(folderName).inter" }
    let candidates = preferred.isEmpty ? interactions : preferred
    guard candidates.count == 1 else {
      let listed = candidates.prefix(8).map { $0.sanitized() }.joined(separator: ", ")
      throw DatasetError(
        .configuration, path: path,
        "holds \(candidates.count) .inter files (\(listed)): give one of them in place of the "
          + "folder"
      )
    }
    let file = "\(path)/\(candidates[0])"
    var found = try decide(format, file)
    if format == nil, found == .delimited { found = .mmrec }
    var files = SourceFiles(format: found, parts: [Part(path: file, label: nil)])
    guard found == .mmrec else {
      files.items = named(["\(stem(candidates[0], of: ".inter")).item"], in: names)
        .map { "\(path)/\($0)" }
      return files
    }
    files.keepsIDs = true
    files.folder = path
    files.arrays = names.filter { $0.hasSuffix(".npy") }.map { "\(path)/\($0)" }
    let described = try DatasetDescriptionFile.read(folder: path)
    let map = { (kind: IdentifierTable.Kind, file: String?) in
      (file ?? kind.files.first { names.contains($0) })
        .map { DatasetDescription.path(of: $0, in: path) }
    }
    files.userMap = map(.users, described.users)
    files.itemMap = map(.items, described.items)
    return files
  }

  /// A folder with MicroLens pairs, or with one file that can hold interactions.
  private static func onlyFile(
    _ path: String, _ names: [String], format: SourceFormat?
  ) throws(DatasetError) -> SourceFiles {
    let endings = [".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".dat", ".data"]
    let readable = names.filter { name in endings.contains { plainName(name).hasSuffix($0) } }
    let pairs = readable.filter { $0.contains("_pairs.") }
    // The table has the times, which the list of items has not.
    if let table = pairs.first(where: { plainName($0).hasSuffix(".csv") }) ?? pairs.first {
      return try file("\(path)/\(table)", format: format)
    }
    if readable.count == 1 { return try file("\(path)/\(readable[0])", format: format) }
    let listed = names.prefix(8).map { $0.sanitized() }.joined(separator: ", ")
    throw DatasetError(
      .configuration, path: path,
      names.isEmpty
        ? "is an empty folder"
        : "is a folder in which it is not clear what holds the interactions (\(listed)"
          + "\(names.count > 8 ? ", …" : "")): give that file in place of the folder")
  }

  /// The format that the user says, or that the content shows.
  private static func decide(
    _ format: SourceFormat?, _ path: String
  ) throws(DatasetError) -> SourceFormat {
    if let format { return format }
    let lines = try LineReader(path: path)
    return SourceFormat.find(in: lines.beginning)
  }

  /// A name without the endings of archives.
  static func plainName(_ name: String) -> String {
    for ending in [".gz", ".zst", ".zstd"] where name.hasSuffix(ending) {
      return String(name.dropLast(ending.count))
    }
    return name
  }

  private static func stem(_ name: String, of ending: String) -> String {
    let plain = plainName(name)
    return plain.hasSuffix(ending) ? String(plain.dropLast(ending.count)) : plain
  }

  /// The first of some files that is there, perhaps as an archive.
  private static func named(_ wanted: [String], in names: [String]) -> String? {
    wanted.lazy.compactMap { name in names.first { plainName($0) == name } }.first
  }
}

extension FilePath {
  /// The last component of a path.
  static func name(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }
}
