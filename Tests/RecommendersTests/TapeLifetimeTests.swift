import Datasets
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

/// A finished model releases its memory: a program may train one model after the other.
@Suite struct TapeLifetimeTests {
  @Test("no operation of a model retains the tape that it was recorded on", arguments: cases)
  func nothingIsKept(name: String, isMRdIB: Bool) throws {
    let data = try TinyData()
    let dataset = try data.dataset()
    var settings = SettingStore(embeddingSize: 8, regularization: 0.01)
    settings[CommonSettings.itemNeighbours] = 3
    settings[VIRAL.Settings.self].inputWidth = .pad
    let model = try ModelRegistry.make(
      name, input: ModelInput(dataset, graphs: GraphStore(dataset: dataset, cacheFolder: nil)),
      settings: settings, objective: isMRdIB ? SettingValues<MRdIB.Settings>() : nil, seed: 1)
    let parameters = PlainParameters(
      tables: model.tables.enumerated().map { index, table in
        randomMatrix(table.rows, table.width, seed: UInt64(index + 1))
      })
    weak var forgotten: Tape?
    do {
      let tape = Tape()
      forgotten = tape
      let context = StepContext(seed: 1, epoch: 0, step: 0)
      _ = parameters.gradients(model, data.batch, context: context, on: tape)
      // Models without training record constants alone.
      #expect(tape.heldByteCount > 0 || ["itemknn_content", "pop"].contains(name))
    }
    #expect(forgotten == nil)
  }

  /// Every model with its own loss, and with the objective where that can attach.
  static let cases =
    ModelRegistry.names.map { ($0, false) }
    + ModelRegistry.names.filter {
      !["bpr", "grcn", "itemknn_content", "lightgcn", "pop"].contains($0)
    }
    .map { ($0, true) }
}
