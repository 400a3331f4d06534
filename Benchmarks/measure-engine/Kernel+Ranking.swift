import Recommenders
import Tensors

/// The ranking of an evaluation, next to its products alone.
extension Kernel {
  static func rankings(small: Bool) -> [Kernel] {
    var shapes: [(items: Int, width: Int, users: Int)] = [(7050, 64, 1024), (7050, 128, 1024)]
    if !small { shapes += [(100_000, 64, 256), (100_000, 128, 256), (1_000_000, 64, 128)] }
    return shapes.flatMap { shape in
      let items = Inputs.matrix(shape.items, shape.width)
      let users = Inputs.matrix(shape.users, shape.width, id: 1)
      return [scores(users, items)] + [20, 50].map { ranking(users, items, depth: $0) }
    }
  }

  private static func amount(_ users: Matrix, _ items: Matrix) -> Double {
    2 * Double(users.rows * items.rows * items.columns)
  }

  /// The products of a ranking, in its tiles and nothing else.
  private static func scores(_ users: Matrix, _ items: Matrix) -> Kernel {
    let (height, width) = FullRanking.tileShape
    let tile = Matrix(rows: height, columns: min(width, items.rows))
    return Kernel(
      group: "rankings", name: "\(items.rows) items of \(items.columns): products",
      unit: .gigaflops, amount: amount(users, items)
    ) {
      for user in stride(from: 0, to: users.rows, by: height) {
        for item in stride(from: 0, to: items.rows, by: width) {
          let count = min(width, items.rows - item)
          BLAS.multiplyWhole(
            block(users, from: user, rows: height), block(items, from: item, rows: count),
            transposeB: true,
            into: BLAS.Block(tile.pointer, rows: height, columns: count, stride: tile.columns))
        }
      }
    }
  }

  private static func block(_ matrix: Matrix, from first: Int, rows: Int) -> BLAS.Block {
    BLAS.Block(
      matrix.pointer + first * matrix.columns, rows: rows, columns: matrix.columns,
      stride: matrix.columns)
  }

  /// A ranking as evaluations have it: without ten items of each user, and with the metrics of one.
  private static func ranking(_ users: Matrix, _ items: Matrix, depth: Int) -> Kernel {
    func list(_ count: Int, id: Int) -> AdjacencyList {
      AdjacencyList(
        rowCount: users.rows, columnCount: items.rows,
        pairs: (0..<users.rows).flatMap { user in
          Inputs.rows(count, below: items.rows, id: id + user).map { (Int32(user), $0) }
        })
    }
    let ranking = FullRanking(cutoffs: [depth])
    let known = list(10, id: 0)
    let among = RankedItems(
      items, splits: [EvaluationSplit(name: "test", truth: list(1, id: users.rows))])
    return Kernel(
      group: "rankings", name: "\(items.rows) items of \(items.columns): best \(depth)",
      unit: .gigaflops, amount: amount(users, items)
    ) {
      _ = try ranking.evaluate(
        userMatrix: users, users: .consecutive(from: 0), among: among, trainMask: known,
        popularity: nil)
    }
  }
}
