import Configuration
import Datasets
import Files
import Foundation
import Recommenders
import Settings

extension InitialWeights {
  /// The weights that a configuration names; nil if it names none.
  ///
  /// - Throws: `DatasetError` if the file cannot be read, ``RuntimeError`` if it is not the one
  ///   that the run was begun with.
  init?(of configuration: RunConfiguration) throws {
    let path = configuration.data.initialWeights
    guard !path.isEmpty else { return nil }
    try self.init(path: path)
    let wanted = configuration.data.initialWeightsDigest
    guard wanted.isEmpty || wanted == digest else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot begin with the weights in '\(path)': their digest is \(digest), but "
          + "initial_weights_digest is \(wanted). Put the file back with which the run was begun, "
          + "or begin another run.")
    }
  }
}

/// The best model of an earlier run, whose parameters a run on newer data begins with.
struct EarlierModel {
  private let run: String
  private let best: BestModel

  /// - Parameter run: the directory of the run.
  /// - Throws: ``RuntimeError`` if the run has no model.
  init(run: String) throws {
    self.run = FilePath.absolute(run)
    best = try BestModel.read(run: run)
  }

  /// The file of the parameters.
  var parameters: String { "\(run)/\(best.folder)/\(BestModel.parametersName)" }

  /// Checks that the first rows of a data set's users and items are those of the model, where both
  /// have original ids.
  ///
  /// - Throws: ``RuntimeError`` if rows mean other users or items now; errors with a sentence if a
  ///   file cannot be read.
  func checkIdentifiers(of folder: String) throws {
    guard let problem = try identifierProblem(of: folder) else { return }
    throw RuntimeError(
      exitCode: .dataMalformed,
      message: "Cannot begin with the model of '\(run)': \(problem). Number the data so that "
        + "earlier users and items keep their rows and new ones come after them, or train from the "
        + "beginning.")
  }

  /// Why the first rows of a data set's users and items are not those of the best model of a run,
  /// as a clause; nil if they are, or it is not known.
  static func identifierProblem(run: String, folder: String) throws -> String? {
    guard FileManager.default.fileExists(atPath: BestModel.path(run)) else { return nil }
    return try EarlierModel(run: run).identifierProblem(of: folder)
  }

  private func identifierProblem(of folder: String) throws -> String? {
    for (kind, side) in [(IdentifierTable.Kind.users, Side.user), (.items, .item)] {
      guard let digest = best.identifiers?[kind],
        let file = OriginalIdentifiers.path(of: kind, in: folder)
      else { continue }
      let table = try IdentifierTable(path: file, kind: kind)
      let count = try best.file(side, run: run).rows
      guard count <= table.count else {
        return "it has \(count) \(kind), and '\(file)' only \(table.count)"
      }
      guard IdentifierDigests.digest(of: table, rows: count) == digest else {
        return "the first \(count) rows of '\(file)' are not the \(kind) that it was trained for"
      }
    }
    return nil
  }
}

extension RunSetup {
  /// What the run begins with, a line per table; nothing for a run from the beginning.
  package var initialWeightsLines: [String] {
    guard let weights = model.initialWeights else { return [] }
    return ["initial weights from \(weights.path):"]
      + weights.lines(for: model.tables).map { "  \($0)" }
  }
}
