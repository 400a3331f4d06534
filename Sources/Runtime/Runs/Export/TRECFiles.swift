import Datasets
import Files
import Foundation
import Recommenders
import Tensors

/// Ranked lists and truth as files of TREC, for ranx, ir-measures and trec_eval.
///
///     run.trec      USER Q0 ITEM RANK SCORE mrdib     the lists of an evaluation
///     valid.qrels   USER 0 ITEM 1                     a line per held-out interaction
///     test.qrels
///
/// Lists leave out the items of the user's training data, as evaluations do. They are of all users
/// with held-out interactions. Equal scores are in the order of the item's row; trec_eval orders
/// them by the item's id.
struct TRECFiles {
  let data: Dataset
  let vectors: ExportedVectors
  let identifiers: OriginalIdentifiers
  /// Items of a list.
  let depth: Int

  /// Writes the files.
  ///
  /// - Throws: `EvaluationError` if a score is not finite; ``RuntimeError`` if an id has a blank,
  ///   which these formats cannot hold; `DatasetError` if a file cannot be written.
  func write(to folder: String) throws {
    for table in [identifiers.users, identifiers.items].compactMap({ $0 }) {
      for row in 0..<table.count where table.id(of: row).contains(where: \.isWhitespace) {
        throw RuntimeError(
          exitCode: .dataMalformed,
          message: "Cannot write files of TREC: their columns are separated by blanks, and the id "
            + "'\(table.id(of: row).sanitized(atMost: 64))' of '\(table.path)' has one. Use "
            + "--ids dense.")
      }
    }
    try writeLists(to: "\(folder)/run.trec")
    try writeTruth(data.valid, to: "\(folder)/valid.qrels")
    try writeTruth(data.test, to: "\(folder)/test.qrels")
  }

  private func writeTruth(_ truth: AdjacencyList, to path: String) throws {
    let file = try AtomicFile(path: path)
    for user in 0..<truth.rowCount where truth.degree(user) > 0 {
      let name = id(user, identifiers.users)
      let lines = truth[user].map { "\(name) 0 \(id(Int($0), identifiers.items)) 1\n" }
      try file.write(Array(lines.joined().utf8))
    }
    try file.commit()
  }

  private func writeLists(to path: String) throws {
    let file = try AtomicFile(path: path)
    let recommender = BlockRecommender(items: vectors.items, count: depth)
    let users = (0..<data.userCount).filter {
      data.valid.degree($0) > 0 || data.test.degree($0) > 0
    }
    var rest = users[...]
    while !rest.isEmpty {
      let block = Array(rest.prefix(BlockRecommender.blockSize))
      rest = rest.dropFirst(block.count)
      let chosen = Matrix(rows: block.count, columns: vectors.users.columns)
      for (slot, user) in block.enumerated() {
        _ = chosen.row(slot).update(fromContentsOf: vectors.users.row(user))
      }
      let lists = try recommender.top(
        for: chosen, excluding: block.map { data.train[$0] }, subject: { "user \(block[$0])" })
      var text = ""
      for (user, list) in zip(block, lists) {
        let name = id(user, identifiers.users)
        for (rank, ranked) in list.enumerated() {
          text +=
            "\(name) Q0 \(id(ranked.item, identifiers.items)) \(rank + 1) \(ranked.score) mrdib\n"
        }
      }
      try file.write(Array(text.utf8))
    }
    try file.commit()
  }

  private func id(_ row: Int, _ table: IdentifierTable?) -> String {
    table?.id(of: row) ?? "\(row)"
  }
}
