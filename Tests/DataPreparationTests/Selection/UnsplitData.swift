import DataPreparation
import Datasets
import Foundation
import Tensors
import TestSupport
import Testing

/// Random interactions in which every user and item has its place, and folders of them.
struct UnsplitData {
  var rows: [Row]
  var userCount: Int
  var itemCount: Int

  struct Row: Hashable {
    var user: Int32
    var item: Int32
    var rating: Float
    var time: Double
  }

  /// Distinct pairs of users and items: each user has between `perUser` of them. Many times are
  /// equal, so that ties have to be broken.
  init(seed: UInt64, userCount: Int = 40, itemCount: Int = 30, perUser: ClosedRange<Int> = 1...25) {
    self.userCount = userCount
    self.itemCount = itemCount
    var generator = SeededGenerator(seed: seed)
    rows = []
    for user in 0..<userCount {
      let count = perUser.lowerBound + generator.below(perUser.count)
      let items = (0..<itemCount).shuffled(using: &generator).prefix(count)
      for item in items {
        rows.append(
          Row(
            user: Int32(user), item: Int32(item), rating: Float(1 + generator.below(5)),
            time: Double(1_400_000_000 + generator.below(50) * 86_400)))
      }
    }
  }

  /// The interactions as columns, sorted as the steps of a split expect them.
  func columns(hasTimes: Bool = true) -> InteractionColumns {
    var columns = InteractionColumns(
      users: rows.map(\.user), items: rows.map(\.item), ratings: rows.map(\.rating),
      times: hasTimes ? rows.map(\.time) : nil)
    columns.sortByUserAndItem()
    return columns
  }

  /// Keys from the dense numbers.
  func keys(seed: UInt64) -> PairKeys {
    PairKeys(
      users: IdentifierHash.numbers(count: userCount),
      items: IdentifierHash.numbers(count: itemCount), seed: seed)
  }

  static func userID(_ user: Int) -> String { "user-\(user)" }
  static func itemID(_ item: Int) -> String { "item \(item)" }

  /// Writes a folder with ids, titles and features. Each feature row begins with the dense number
  /// of its item, so that it can be found again.
  ///
  /// - Parameter masked: items without the modality `text`.
  func write(
    to folder: String, hasTimes: Bool = true, masked: Set<Int> = []
  ) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let path = { (file: String) in "\(folder)/\(file)" }
    var text = "userID\titemID\trating" + (hasTimes ? "\ttimestamp" : "") + "\n"
    for row in rows {
      text += "\(row.user)\t\(row.item)\t\(row.rating)"
      text += hasTimes ? "\t\(Int(row.time))\n" : "\n"
    }
    try Data(text.utf8).write(to: URL(fileURLWithPath: path("small.inter")))
    let users = "userID\tid\n" + (0..<userCount).map { "\($0)\t\(Self.userID($0))\n" }.joined()
    try Data(users.utf8).write(to: URL(fileURLWithPath: path("users.tsv")))
    let items =
      "itemID\tid\ttitle\n"
      + (0..<itemCount).map { "\($0)\t\(Self.itemID($0))\tTitle of \($0)\n" }.joined()
    try Data(items.utf8).write(to: URL(fileURLWithPath: path("items.tsv")))
    let features = Matrix(rows: itemCount, columns: 3)
    for item in 0..<itemCount {
      features.pointer[3 * item] = Float(item)
      features.pointer[3 * item + 1] = 0.5
    }
    try NPYWriter.write(features, to: path("text_feat.npy"))
    var modality = "modalities:\n  - name: text\n    file: text_feat.npy\n"
    if !masked.isEmpty {
      try FeatureMask((0..<itemCount).map { !masked.contains($0) })
        .write(to: path("text_mask.npy"))
      modality += "    mask: text_mask.npy\n    fill: zero\n"
    }
    let history = "history:\n  - step: import\n    format: csv\n"
    try Data(("name: small\n" + modality + history).utf8)
      .write(to: URL(fileURLWithPath: path("dataset.yaml")))
  }

  /// The original users and items of the rows of a folder, with their label.
  static func pairs(of folder: String) throws -> [String: SplitLabel?] {
    let (source, columns) = try SourceFolder.read(folder)
    let users = try #require(source.users)
    let items = try #require(source.items)
    var pairs: [String: SplitLabel?] = [:]
    for row in 0..<columns.count {
      let name =
        users.id(of: Int(columns.users[row])) + "/" + items.id(of: Int(columns.items[row]))
      #expect(pairs.updateValue(columns.labels?[row], forKey: name) == nil, "\(name) twice")
    }
    return pairs
  }

  /// The bytes of every file of a folder, by name.
  static func files(of folder: String) throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
      files[name] = try TemporaryFolder.contents(of: "\(folder)/\(name)")
    }
    return files
  }
}
