import Datasets
import Foundation
import Recommenders
import Runtime
import Tables
import Tensors
import Testing

@Suite struct CodeDistributionTests {
  @Test("σ and the divergence of each item, for an encoder that gives all codes one σ")
  func constantEncoder() throws {
    let tiny = try TinyModel(["mrdib_form=published", "alpha1=0.1"])
    let model = tiny.setup.model
    let count = model.backbone.tables.count + (model.objective?.tables.count ?? 0)
    let tables = model.tables[..<count].map { spec in
      let table = Matrix(rows: spec.rows, columns: spec.width)
      for (index, _) in table.elements.enumerated() {
        table.pointer[index] = Float(index % 7 - 3) / 10
      }
      // W = 0 and ℓ = b = −ln 4, so σ = ½.
      if spec.name.hasSuffix("logvar.weight") { table.fill(0) }
      if spec.name.hasSuffix("logvar.bias") { table.fill(-log(4)) }
      return table
    }
    let items = (0..<Int32(tiny.setup.dataset.itemCount)).map { $0 }
    let context = StepContext(seed: 1, epoch: 0, step: 0)
    let codes = model.codeDistributions(of: items, context: context) { table, row, values in
      _ = values.update(fromContentsOf: tables[table].row(row))
    }
    let means = model.backbone.contentMeans(of: items, context: context) { table, row, values in
      _ = values.update(fromContentsOf: tables[table].row(row))
    }
    #expect(codes.map(\.modality) == ["visual", "text"] && means.count == 2)
    for (code, mean) in zip(codes, means) {
      #expect(code.deviations.count == mean.count)
      #expect(code.deviations.allSatisfy { abs($0 - 0.5) < 1e-5 })
      for (row, divergence) in code.divergences.enumerated() {
        let squares = mean.row(row).reduce(0) { $0 + $1 * $1 } / Float(mean.columns)
        #expect(abs(divergence - 0.5 * (squares + 0.25 - 1 + log(4))) < 1e-4)
      }
    }
  }
}
