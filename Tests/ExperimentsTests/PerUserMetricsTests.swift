import Experiments
import Foundation
import Recommenders
import Runtime
import TestSupport
import Testing

@Suite struct PerUserMetricsTests {
  /// A finished run in a folder, with three blocks of users in its evaluation.
  private func trained() throws -> (tiny: TinySweep, run: String) {
    let tiny = try TinySweep()
    let runs = try tiny.runner().run(tiny.points("evaluation_block_users: 23\n"))
    return (tiny, "\(tiny.sweep.path)/\(runs[0].folder)")
  }

  @Test("the means of the users' metrics are the summary's, bit for bit")
  func means() throws {
    let (tiny, run) = try trained()
    let metrics = try PerUserMetrics.compute(run: run)
    let result = try RunResult(run: run)
    #expect(metrics.valid.means(blockSize: 23) == result.valid)
    #expect(metrics.test.means(blockSize: 23) == result.test)
    #expect(result.test.values.contains { $0 > 0 })
    withExtendedLifetime(tiny) {}
  }

  @Test("the values are written next to the vectors and read back")
  func file() throws {
    let (tiny, run) = try trained()
    let metrics = try PerUserMetrics.load(run: run)
    let path = "\(run)/\(try BestModel.read(run: run).folder)/per_user.tsv"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.hasPrefix("split\tuser\trecall@5\trecall@20\tndcg@5"))
    // Data and vectors are not needed any more.
    try FileManager.default.removeItem(atPath: tiny.data)
    #expect(try PerUserMetrics.load(run: run) == metrics)
  }

  @Test("a damaged file is an error with its line")
  func damagedFile() throws {
    let (tiny, run) = try trained()
    _ = try PerUserMetrics.load(run: run)
    let path = "\(run)/\(try BestModel.read(run: run).folder)/per_user.tsv"
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    let cases: [(line: Int, text: String)] = [
      (0, "user\tsplit"), (3, "valid\t1\t0.5"), (2, lines[1] + ""), (5, lines[5] + "x"),
      (4, lines[4].replacingOccurrences(of: "valid", with: "train")),
    ]
    for (line, text) in cases {
      var changed = lines.map(String.init)
      changed[line] = text
      try changed.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
      #expect {
        try PerUserMetrics.load(run: run)
      } throws: { "\($0)".contains("per_user.tsv', line \(line + 1):") }
    }
    withExtendedLifetime(tiny) {}
  }

  @Test("values that are not those of the run are refused")
  func otherValues() throws {
    let (tiny, run) = try trained()
    let path = "\(run)/summary.json"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let recall = try #require(try RunResult(run: run).test["recall@20"])
    try text.replacingOccurrences(of: "\(recall)", with: "0.98765")
      .write(toFile: path, atomically: true, encoding: .utf8)
    #expect {
      try PerUserMetrics.compute(run: run)
    } throws: { "\($0)".contains("test recall@20") && "\($0)".contains("0.98765") }
    withExtendedLifetime(tiny) {}
  }

  @Test("other data than the run's is refused")
  func otherData() throws {
    let (tiny, run) = try trained()
    let inter = "\(tiny.data)/synthetic.inter"
    let text = try String(contentsOfFile: inter, encoding: .utf8)
    let end = try #require(text.range(of: "\t1\n"))
    try text.replacingCharacters(in: end, with: "\t2\n")
      .write(toFile: inter, atomically: true, encoding: .utf8)
    #expect { try PerUserMetrics.compute(run: run) } throws: { "\($0)".contains("digest") }
  }
}
