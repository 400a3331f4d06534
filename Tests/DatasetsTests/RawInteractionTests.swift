import Datasets
import Foundation
import TestSupport
import Testing

@Suite("interactions before a split")
struct RawInteractionTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder(name: "data") }

  private func read(_ text: String) throws -> RawInteractions {
    try InteractionFile.readRaw(folder.write(text, to: "data.inter"))
  }

  @Test("ratings, times and labels are read where the file has them")
  func optionalColumns() throws {
    let whole = try read(SmallData.header + SmallData.rows)
    #expect(whole.ratings == [5, 4, 3, 5, 5, 1] && whole.times == [10, 11, 12, 13, 14, 15])
    #expect(whole.labels == [.train, .train, .train, .valid, .train, .test])
    let bare = try read("itemID\tuserID\n3\t0\n1\t2\n")
    #expect(bare.users == [0, 2] && bare.items == [3, 1] && bare.count == 2)
    #expect(bare.ratings == nil && bare.times == nil && bare.labels == nil)
    let recbole = try read(
      """
      user_id:token\titem_id:token\trating:float\ttimestamp:float
      0\t0\t\t1.5e9
      0\t1\t-2.5\t0.25
      """
    )
    #expect(recbole.ratings?[0].isNaN == true && recbole.ratings?[1] == -2.5)
    #expect(recbole.times == [1.5e9, 0.25])
  }

  @Test("numbers are rounded as the standard library rounds them")
  func numbers() throws {
    for text in [
      "0", "-0", "4.5", "1700000000", "1700000000.123456", "0.1", "123456789012345678.9", "1e-5",
      "9007199254740993", "+3", ".5", "5.", "1E300", "4.9e-324", "0.30000000000000004",
    ] {
      let found = Array(text.utf8).withUnsafeBytes { DecimalNumber.parse($0) }
      #expect(found?.bitPattern == Double(text)?.bitPattern, "\(text): \(found ?? .nan)")
    }
    for text in ["x", "1,5", "inf", "nan", "0x10", "1e999", ".", "-", "1.2.3", " 1", "1 "] {
      #expect(Array(text.utf8).withUnsafeBytes { DecimalNumber.parse($0) } == nil, "\(text)")
    }
    let error = problem { try read("userID\titemID\trating\n0\t0\t5\n0\t1\tgood\n") }
    expect(error, says: "data.inter:3", "rating 'good'", "finite number")
  }

  @Test("what is written is read")
  func roundTrip() throws {
    let writer = try InteractionFileWriter(
      path: folder.path("data.inter"), columns: [.ratings, .times, .labels])
    try writer.append(user: 0, item: 7, rating: 4.5, time: 1_700_000_000, label: .train)
    try writer.append(user: 1, item: .max - 1, rating: .nan, time: 0.1, label: .test)
    try writer.append(user: 12, item: 0, rating: -3, time: -1e300, label: .valid)
    try writer.finish()
    #expect(
      try folder.text("data.inter") == """
        userID\titemID\trating\ttimestamp\tx_label
        0\t7\t4.5\t1700000000\t0
        1\t2147483646\t\t0.1\t2
        12\t0\t-3\t-1e+300\t1

        """)
    let again = try InteractionFile.readRaw(folder.path("data.inter"))
    #expect(again.users == [0, 1, 12] && again.items == [7, .max - 1, 0])
    #expect(again.times == [1_700_000_000, 0.1, -1e300])
  }
}
