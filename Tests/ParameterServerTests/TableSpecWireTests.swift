import ParameterServer
import Protocol
import Tables
import Testing

@Suite("Tables on the wire")
struct TableSpecWireTests {
  static let initializers: [Initializer] = [
    .constant(-1.5), .uniform(bound: 0.25), .normal(standardDeviation: 0.01), .pushed,
  ]
  static let rules: [UpdateRule] = [
    .optimizer(.model), .optimizer(.discriminator), .movingAverage(rate: 0.01), .assigned,
  ]

  @Test("every kind of table survives encoding and decoding", arguments: initializers, rules)
  func roundTrip(initializer: Initializer, rule: UpdateRule) throws {
    let spec = TableSpec(
      name: "Küche/W", rows: 12_345, width: 64, initializer: initializer, rule: rule,
      rowsPerBlock: 3)
    #expect(try TableSpec(TableDescription(spec)) == spec)
  }

  @Test("invalid descriptions are refused with the table's name")
  func malformed() {
    let good = TableDescription(
      name: "item", rows: 5, width: 2, rowsPerBlock: 16, initializer: "uniform",
      initializerValue: 1, rule: "average", ruleValue: 0.5)
    #expect(throws: Never.self) { try TableSpec(good) }
    let changes: [(String, (inout TableDescription) -> Void)] = [
      ("rows", { $0.rows = 0 }), ("rows", { $0.rows = .max }), ("rows", { $0.rows = 1 << 32 }),
      ("width", { $0.width = 0 }), ("width", { $0.width = .max }),
      ("blocks", { $0.rowsPerBlock = 0 }), ("'gauss'", { $0.initializer = "gauss" }),
      ("nan", { $0.initializerValue = .nan }), ("-1", { $0.initializerValue = -1 }),
      ("'adam'", { $0.rule = "adam" }), ("2.0", { $0.ruleValue = 2 }),
      ("nan", { $0.ruleValue = .nan }),
      ("0.0", { $0.ruleValue = 0 }),
    ]
    for (word, change) in changes {
      var bad = good
      change(&bad)
      let error = #expect(throws: ParameterServerError.self) { try TableSpec(bad) }
      #expect(error?.code == .table)
      #expect(error?.message.contains("'item'") == true && error?.message.contains(word) == true)
    }
    for name in ["", String(repeating: "x", count: 257)] {
      var bad = good
      bad.name = name
      #expect(throws: ParameterServerError.self) { try TableSpec(bad) }
    }
  }
}
