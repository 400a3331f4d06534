/// Finds the word somebody probably meant.
enum NearestMatch {
  /// The candidate with the smallest edit distance to `word`, if it is close enough to be a slip.
  static func find(_ word: String, in candidates: [String]) -> String? {
    // Beyond that, no slip is small, and every letter costs time.
    let word = String(word.prefix(64))
    let allowed = max(2, word.count / 3)
    return candidates.map { ($0, distance(word, $0)) }
      .filter { $0.1 <= allowed }
      .min { $0.1 < $1.1 }?.0
  }

  /// How many insertions, deletions and replacements turn one word into the other (Levenshtein).
  static func distance(_ first: String, _ second: String) -> Int {
    let target = Array(second)
    var previous = Array(0...target.count)
    for (row, character) in first.enumerated() {
      var current = [row + 1]
      for (column, other) in target.enumerated() {
        let replaced = previous[column] + (character == other ? 0 : 1)
        current.append(min(replaced, previous[column + 1] + 1, current[column] + 1))
      }
      previous = current
    }
    return previous[target.count]
  }
}
