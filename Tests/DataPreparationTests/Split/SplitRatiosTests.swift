import DataPreparation
import Testing

@Suite struct SplitRatiosTests {
  @Test("shares are read in any scale", arguments: ["0.8,0.1,0.1", "8,1,1", "80, 10, 10"])
  func scales(text: String) throws {
    let ratios = try SplitRatios(parsing: text)
    #expect(abs(ratios.train - 0.8) < 1e-12 && abs(ratios.test - 0.1) < 1e-12)
    #expect(ratios.text == "0.8,0.1,0.1")
  }

  @Test(
    "what is not three numbers above 0 is refused",
    arguments: ["", "0.8,0.2", "0.8,0.1,0.1,0", "1,0,0", "-1,1,1", "a,b,c", "inf,1,1", "nan,1,1"])
  func refused(text: String) throws {
    #expect(throws: SplitRequestError.self) { try SplitRatios(parsing: text) }
  }

  @Test("parts are the shares by largest remainder, and their sum is the whole")
  func largestRemainder() throws {
    let ratios = try SplitRatios(parsing: "0.8,0.1,0.1")
    for key in [UInt64(0), 1] {
      #expect(ratios.heldOut(of: 0, key: key) == (0, 0))
      #expect(ratios.heldOut(of: 1, key: key) == (0, 0))
      #expect(ratios.heldOut(of: 3, key: key) == (0, 0))
      // 6.4, 0.8, 0.8.
      #expect(ratios.heldOut(of: 8, key: key) == (1, 1))
      // 0.1 × 30 is slightly more than 3 in binary.
      #expect(ratios.heldOut(of: 30, key: key) == (3, 3))
    }
    // 4, 0.5, 0.5: the key decides.
    #expect(ratios.heldOut(of: 5, key: 0) == (1, 0))
    #expect(ratios.heldOut(of: 5, key: 1) == (0, 1))
  }

  @Test("at least one interaction is for training")
  func trainingGetsOne() throws {
    let ratios = try SplitRatios(parsing: "0.1,0.1,0.8")
    for count in 1...12 {
      for key in [UInt64(0), 1] {
        let (valid, test) = ratios.heldOut(of: count, key: key)
        #expect(valid >= 0 && test >= 0 && valid + test < count)
      }
    }
  }
}
