import Datasets
import Tensors
import TestSupport

/// Data sets of a few lines.
enum SmallData {
  static let header = "userID\titemID\trating\ttimestamp\tx_label\n"

  /// Three users, four items; item 3 occurs in test only.
  static let rows = """
    0\t0\t5.0\t10\t0
    0\t1\t4.0\t11\t0
    1\t1\t3.0\t12\t0
    1\t2\t5.0\t13\t1
    2\t2\t5.0\t14\t0
    2\t3\t1.0\t15\t2

    """

  /// Writes `NAME.inter` and both feature files.
  static func write(to folder: TemporaryFolder, rows: String = rows, itemRows: Int = 4) throws {
    try folder.write(header + rows, to: "data.inter")
    try NPYWriter.write(features(rows: itemRows, columns: 3), to: folder.path("image_feat.npy"))
    try NPYWriter.write(features(rows: itemRows, columns: 2), to: folder.path("text_feat.npy"))
  }

  /// 1, 2, 3, … row by row.
  static func features(rows: Int, columns: Int) -> Matrix {
    Matrix(
      rows: rows, columns: columns, elements: (0..<rows * columns).map { Float($0 + 1) })
  }

  /// A pseudo-random data set without features: every user has 2 to 12 of the items.
  static func random(users: Int, items: Int, seed: UInt64) throws -> Dataset {
    let random = CounterRandom(seed: seed, stream: .generator)
    var train: [(user: Int32, item: Int32)] = []
    for user in 0..<users {
      let count = 2 + random.integer(below: 11, id: user)
      var seen: Set<Int32> = []
      for index in 1...count {
        let item = Int32(random.integer(below: items, id: user, index: index))
        if seen.insert(item).inserted { train.append((Int32(user), item)) }
      }
    }
    return try Dataset(
      name: "random", interactions: Interactions(train: train), itemCount: items)
  }
}
