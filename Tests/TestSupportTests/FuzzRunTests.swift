import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("Fuzzing")
struct FuzzRunTests {
  private static let inputs = InputMutator(
    samples: [[Array("first 12".utf8), [1, 2, 3]], [Array("second 7".utf8)]], words: ["word"],
    changes: [{ bytes, _ in bytes.append(0xAA) }], variesParts: true)

  @Test("the same seed and counter give the same input, others another")
  func inputsRepeat() {
    func input(_ seed: UInt64, _ counter: UInt64) -> [[UInt8]] {
      var random = SeededGenerator(seed: seed, counter: counter)
      return Self.inputs.input(using: &random)
    }
    var different: Set<[[UInt8]]> = []
    for counter in 0..<1000 as Range<UInt64> {
      #expect(input(1, counter) == input(1, counter))
      different.formUnion([input(1, counter), input(2, counter)])
    }
    #expect(different.count > 1000)
    #expect(different.contains(Self.inputs.samples[0]), "samples come as they are, too")
    #expect(different.contains { $0.count == 3 } && different.contains { $0[0].contains(0xAA) })
  }

  @Test("no part is larger than allowed")
  func inputsAreBounded() {
    var inputs = Self.inputs
    inputs.largestPart = 100
    for counter in 0..<5000 as Range<UInt64> {
      var random = SeededGenerator(seed: 3, counter: counter)
      let parts = inputs.input(using: &random)
      #expect(!parts.isEmpty && parts.allSatisfy { $0.count <= 100 })
    }
  }

  /// The report of a run of a thousand inputs of a parser that breaks a property at the 500th.
  private func failure(
    of verdict: @escaping @Sendable () throws -> FuzzedParser.Verdict
  ) throws -> String {
    let count = Mutex(0)
    let parser = FuzzedParser.file("broken", inputs: Self.inputs, rounds: 1000) { _ in
      let number = count.withLock { count in
        count += 1
        return count
      }
      return number == 500 ? try verdict() : number % 2 == 0 ? .accepted : .refused("No.")
    }
    return try #require(throws: FuzzFailure.self) { try FuzzRun.run(parser) }.description
  }

  @Test("a broken property is reported with the input and how to repeat it")
  func tellsFailures() throws {
    struct Unexpected: Error {}
    let again = "scripts/fuzz --again broken 1 499"
    let cases: [(verdict: @Sendable () throws -> FuzzedParser.Verdict, reason: String)] = [
      ({ throw FuzzFailure("one became another") }, "one became another"),
      ({ throw Unexpected() }, "Unexpected"),
      ({ .refused("") }, "without a word"),
      ({ .refused("red: \u{1B}[31m") }, "control characters"),
      ({ .refused(String(repeating: "long ", count: 400)) }, "2000 characters"),
    ]
    for (verdict, reason) in cases {
      let failure = try failure(of: verdict)
      #expect(failure.contains(reason) && failure.contains(again), "\(failure)")
    }
  }

  private static func threadSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  @Test("an input that takes too long is reported")
  func tellsSlowInputs() throws {
    let failure = try failure {
      let start = Self.threadSeconds()
      while Self.threadSeconds() - start < 1.2 {}
      return .accepted
    }
    #expect(failure.contains("seconds of processor time"), "\(failure)")
  }

  @Test("a run is reported if all inputs are refused, because it tests little")
  func tellsUselessInputs() throws {
    let parser = FuzzedParser.file("strict", inputs: Self.inputs, rounds: 10_000) { _ in
      .refused("No.")
    }
    let failure = try #require(throws: FuzzFailure.self) { try FuzzRun.run(parser) }
    #expect(failure.description.contains("0 of 10000"))
  }
}
