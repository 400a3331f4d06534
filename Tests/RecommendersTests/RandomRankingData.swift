import Recommenders
import Tensors

/// Users, items and interactions at random. Vectors hold small whole numbers: scores are exact,
/// and many are equal.
struct RandomRankingData {
  let users: Matrix
  let items: Matrix
  let train: AdjacencyList
  let splits: [EvaluationSplit]

  init(userCount: Int, itemCount: Int, seed: UInt64) {
    let random = CounterRandom(seed: seed, stream: .generator)
    func matrix(_ rows: Int, id: Int) -> Matrix {
      Matrix(
        rows: rows, columns: 4,
        elements: (0..<rows * 4).map { Float(random.integer(below: 5, id: id, index: $0)) - 2 })
    }
    users = matrix(userCount, id: 0)
    items = matrix(itemCount, id: 1)
    var train: [(Int32, Int32)] = []
    var valid = train
    var test = train
    for user in 0..<userCount {
      // From no training items to all but a few; some users have no items to be found.
      let share = random.uniform(id: 2, index: user)
      for item in 0..<itemCount {
        let pair = (Int32(user), Int32(item))
        let dice = random.uniform(id: 3, index: user * itemCount + item)
        if dice < share * share {
          train.append(pair)
        } else if user % 3 != 0, dice > 0.97 {
          valid.append(pair)
        } else if user % 4 != 0, dice > 0.93 {
          test.append(pair)
        }
      }
    }
    func list(_ pairs: [(Int32, Int32)]) -> AdjacencyList {
      AdjacencyList(rowCount: userCount, columnCount: itemCount, pairs: pairs)
    }
    self.train = list(train)
    splits = [
      EvaluationSplit(name: "valid", truth: list(valid)),
      EvaluationSplit(name: "test", truth: list(test)),
    ]
  }

  func score(_ user: Int, _ item: Int) -> Float {
    (0..<users.columns).map { users[user, $0] * items[item, $0] }.reduce(0, +)
  }

  /// The sums over all users.
  func sums(_ ranking: FullRanking) throws -> [MetricSums] {
    try ranking.evaluate(
      userMatrix: users, firstUser: 0, itemMatrix: items, trainMask: train, splits: splits)
  }

  /// The sums over some users only.
  func sums(_ ranking: FullRanking, users block: Range<Int>) throws -> [MetricSums] {
    let matrix = Matrix(rows: block.count, columns: users.columns)
    for (row, user) in block.enumerated() {
      for column in 0..<users.columns { matrix[row, column] = users[user, column] }
    }
    return try ranking.evaluate(
      userMatrix: matrix, firstUser: block.lowerBound, itemMatrix: items, trainMask: train,
      splits: splits)
  }
}
