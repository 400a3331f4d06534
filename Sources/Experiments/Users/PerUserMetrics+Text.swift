import Evaluation
import Runtime

/// `per_user.tsv`: a header `split user recall@5 …`, then one line per user of a split, validation
/// first, users ascending, numbers unrounded.
extension PerUserMetrics {
  var text: String {
    var lines = [(["split", "user"] + valid.names).joined(separator: "\t")]
    for metrics in [valid, test] {
      for (position, user) in metrics.users.enumerated() {
        lines.append(
          ([metrics.split, "\(user)"] + metrics.row(position).map { "\($0)" })
            .joined(separator: "\t"))
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// - Parameter path: where the text comes from, for errors.
  /// - Throws: ``ExperimentError`` with the first line that makes no sense.
  init(text: String, path: String) throws {
    let lines = text.split(separator: "\n")
    func damage(_ index: Int, _ problem: String) -> ExperimentError {
      ExperimentError(
        .dataMalformed,
        "Cannot read '\(path)', line \(index + 1): \(problem). Delete the file; it is made again.")
    }
    let header = lines.first?.split(separator: "\t").map(String.init) ?? []
    let names = Array(header.dropFirst(2))
    guard header.prefix(2) == ["split", "user"], !names.isEmpty, Set(names).count == names.count
    else { throw damage(0, "expected the names of the columns") }
    var metrics = Dictionary(
      uniqueKeysWithValues: Split.allCases.map {
        ($0, UserMetrics(split: $0.rawValue, names: names))
      })
    for (index, line) in lines.enumerated().dropFirst() {
      let cells = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard cells.count == header.count, let split = Split(rawValue: String(cells[0])),
        let user = Int(cells[1]), user > metrics[split]?.users.last ?? -1
      else {
        throw damage(index, "expected a split, a user above the last, and \(names.count) numbers")
      }
      let values = cells.dropFirst(2).compactMap { Double($0) }
      guard values.count == names.count, values.allSatisfy(\.isFinite) else {
        throw damage(index, "expected \(names.count) numbers")
      }
      metrics[split]?.append(user: user, values)
    }
    guard let valid = metrics[.valid], let test = metrics[.test] else {
      throw damage(0, "expected two splits")
    }
    self.init(valid: valid, test: test)
  }
}
