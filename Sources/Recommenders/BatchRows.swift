import Datasets
import Tensors

/// The distinct users and items of a batch that a term of the loss is about: all, or fewer, so that
/// nothing is computed for the others.
public struct BatchRows: Sendable {
  /// Ids, ascending, each once.
  public let users: [Int32]
  /// Ids, ascending, each once.
  public let items: [Int32]
  /// Positions in the batch's distinct users; nil for all.
  let userPositions: [Int32]?
  /// Positions in the batch's distinct items; nil for all.
  let itemPositions: [Int32]?

  /// All rows of a batch.
  public init(of batch: TripletBatch) {
    users = batch.distinctUsers
    items = batch.distinctItems
    userPositions = nil
    itemPositions = nil
  }

  /// The rows that choices among candidates are about.
  init(of batch: TripletBatch, choice: CandidateChoice) {
    (users, userPositions) = Self.selection(of: batch.distinctUsers, choice.anchors)
    (items, itemPositions) = Self.selection(of: batch.distinctItems, choice.candidates)
  }

  private static func selection(
    of ids: [Int32], _ used: [Int32]
  ) -> (ids: [Int32], positions: [Int32]?) {
    var isUsed = [Bool](repeating: false, count: ids.count)
    for position in used { isUsed[Int(position)] = true }
    let positions = ids.indices.filter { isUsed[$0] }
    guard positions.count < ids.count else { return (ids, nil) }
    return (positions.map { ids[$0] }, positions.map { Int32(truncatingIfNeeded: $0) })
  }

  /// These users' rows of a matrix that has one row per distinct user of the batch, `[users, D]`.
  public func users(of x: Variable, on tape: Tape) -> Variable {
    userPositions.map { tape.gather(x, $0) } ?? x
  }

  /// These items' rows of a matrix that has one row per distinct item of the batch, `[items, D]`.
  public func items(of x: Variable, on tape: Tape) -> Variable {
    itemPositions.map { tape.gather(x, $0) } ?? x
  }

  /// The users' rows of several matrices, of which some may be one and the same.
  func users(of matrices: [Variable], on tape: Tape) -> [Variable] {
    var rows: [ObjectIdentifier: Variable] = [:]
    return matrices.map { matrix in
      let result = rows[ObjectIdentifier(matrix)] ?? users(of: matrix, on: tape)
      rows[ObjectIdentifier(matrix)] = result
      return result
    }
  }
}

extension Candidates {
  /// The same choices, with anchors and candidates counted among `rows`, which contain them.
  func among(_ rows: BatchRows) -> Candidates {
    func places(_ positions: [Int32], among rows: [Int32]?) -> [Int32] {
      guard let rows, let last = rows.last else { return positions }
      var place = [Int32](repeating: 0, count: Int(last) + 1)
      for (index, row) in rows.enumerated() { place[Int(row)] = Int32(truncatingIfNeeded: index) }
      return positions.map { place[Int($0)] }
    }
    return Candidates(
      choice: CandidateChoice(
        anchors: places(choice.anchors, among: rows.userPositions),
        candidates: places(choice.candidates, among: rows.itemPositions), chosen: choice.chosen,
        groups: choice.groups),
      temperature: temperature)
  }
}
