import Checkpoints
import Protocol
import TestSupport
import Testing

@Suite("Sums of an epoch as text")
struct EpochSumsTextTests {
  @Test("every number comes back with all its bits")
  func bits() throws {
    var random = SeededGenerator(seed: 4)
    var values: [Double] = [
      0, -0.0, 1, .infinity, -.infinity, .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
      .greatestFiniteMagnitude, 0.1, 1e22, 1e23, 123_456_789_012_345_680, .pi, 0x1p-1060,
    ]
    values += (0..<2_000).map { _ in Double(bitPattern: random.next()) }.filter { !$0.isNaN }
    let report = UnitReport(
      unit: 7, sums: Dictionary(uniqueKeysWithValues: values.enumerated().map { ("\($0)", $1) }))
    let read = try #require(EpochSumsText.decode(try EpochSumsText.encode([report])))
    #expect(read.count == 1 && read[0].unit == 7)
    for (index, value) in values.enumerated() {
      #expect(read[0].sums["\(index)"]?.bitPattern == value.bitPattern)
    }
    let notANumber = UnitReport(unit: 0, sums: ["a": .nan])
    #expect(
      EpochSumsText.decode(try EpochSumsText.encode([notANumber]))?[0].sums["a"]?.isNaN == true)
  }

  @Test(
    "malformed text is refused",
    arguments: [
      "", "[", "{}", "[1]", #"[{"unit":0,"sums":{"a":"x"}}]"#, #"[{"unit":-1,"sums":{}}]"#,
    ])
  func malformed(text: String) {
    #expect(EpochSumsText.decode(text) == nil)
  }
}
