/// Finds what a misspelt name was probably meant to be.
package enum NearestName {
  /// The candidate with the fewest typing errors, if they are few for the length of the word; of
  /// several candidates the first by name. Upper and lower case are equal.
  package static func find(_ word: String, among candidates: some Sequence<String>) -> String? {
    // The time grows with every letter, and a longer word is not a misspelt name.
    let letters = Array(word.lowercased().prefix(64))
    return
      candidates
      .map { (distance: distance(letters, Array($0.lowercased())), name: $0) }
      .filter { $0.distance <= max(2, letters.count / 3) && $0.distance < letters.count }
      .min { ($0.distance, $0.name) < ($1.distance, $1.name) }?
      .name
  }

  /// How many letters must be inserted, removed, replaced or swapped with their neighbour.
  ///
  /// - Source: the restricted Damerau–Levenshtein distance.
  private static func distance(_ left: [Character], _ right: [Character]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for i in left.indices {
      var row = [i + 1]
      for j in right.indices {
        let replaced = last[j] + (left[i] == right[j] ? 0 : 1)
        var best = min(replaced, last[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
          best = min(best, beforeLast[j - 1] + 1)
        }
        row.append(best)
      }
      beforeLast = last
      last = row
    }
    return last[right.count]
  }
}
