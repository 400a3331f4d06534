import DataPreparation
import TestSupport
import Testing

/// The table against a dictionary.
@Suite struct IDTableTests {
  @Test("numbers texts of all lengths by first appearance")
  func againstDictionary() {
    let table = IDTable()
    var expected: [[UInt8]: Int32] = [:]
    var random = SeededGenerator(seed: 7, counter: 0)
    for _ in 0..<60_000 {
      // Texts that share their beginnings and their ends.
      var text = [UInt8](repeating: 0x61, count: random.below(40))
      for _ in 0..<min(2, text.count) {
        text[random.below(text.count)] = UInt8(random.below(16)) * 17
      }
      let number = expected[text] ?? Int32(expected.count)
      text.withUnsafeBytes { bytes in
        let key = IDTable.Key(bytes)
        let found = table.find(key)
        #expect(found == expected[text])
        if found == nil { #expect(table.insert(key) == number) }
      }
      expected[text] = number
    }
    #expect(table.count == expected.count && table.count > 10_000)
    for (text, number) in expected { #expect(table[number].elementsEqual(text)) }
  }
}
