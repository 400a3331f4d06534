import Tensors
import TestSupport
import Testing

@Suite("Unions of ascending lists")
struct AscendingUnionTests {
  @Test("every number of any list, ascending, each once")
  func union() {
    #expect(AscendingUnion.of([] as [[Int32]]) == [])
    #expect(AscendingUnion.of([[], [3], []] as [[Int32]]) == [3])
    var random = SeededGenerator(seed: 3)
    for count in 1...9 {
      let lists = (0..<count).map { _ in
        Set(
          (0..<Int.random(in: 0...40, using: &random)).map { _ in
            UInt32.random(in: 0...60, using: &random)
          }
        )
        .sorted()
      }
      #expect(AscendingUnion.of(lists) == Set(lists.joined()).sorted(), "\(lists)")
    }
  }
}
