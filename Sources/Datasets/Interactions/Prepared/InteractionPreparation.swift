import Tensors

/// Writes the interactions of a text in binary form (``PreparedLayout``).
///
/// Memory: three counts per user, a bit per item, what is dropped, and one window of users at a
/// time whose interactions are brought into the order of the users. What does not fit is read back
/// from disk, once per window.
package final class InteractionPreparation {
  /// How many interactions a window has at most, unless one user has more.
  private let windowSize: Int
  private let text: MappedFile
  private let sourceDigest: String
  private let target: AtomicFile
  /// Items of training interactions, and user, item, label of the others, in the order of the text.
  /// Neither file is ever committed.
  private let trainItems: AtomicFile
  private let heldOut: AtomicFile
  /// Interactions of each user in train, validation and test.
  private var degrees: [[Int32]] = [[], [], []]
  private var counts = PreparedCounts()

  /// - Parameters:
  ///   - digest: of the text, 32 hexadecimal digits.
  ///   - target: the path of the file to write; temporary files are next to it.
  /// - Throws: ``DatasetError`` if a file cannot be created.
  package init(
    _ text: MappedFile, digest: String, target: String, windowSize: Int = 1 << 25
  ) throws(DatasetError) {
    self.text = text
    self.windowSize = windowSize
    sourceDigest = digest
    self.target = try AtomicFile(path: target)
    trainItems = try AtomicFile(path: "\(target).items")
    heldOut = try AtomicFile(path: "\(target).held-out")
  }

  /// Writes the file.
  ///
  /// - Parameter progress: receives the share of the text that is read, from 0 to 1.
  /// - Returns: false if the text fails one of the ``InteractionChecks``; no file is left then.
  /// - Throws: ``DatasetError`` if the text is no file of interactions, or writing fails.
  package func write(progress: (Double) -> Void) throws(DatasetError) -> Bool {
    guard let columns = try scan(progress: progress), countAll(), try areDroppedDistinct() else {
      return false
    }
    let layout = PreparedLayout(counts)
    try writeHeader(columns)
    try copyItems(to: layout.trainItems)
    var windows = UserWindows(degrees: degrees, size: windowSize)
    for split in 0..<3 { try writeOffsets(of: split, to: layout.offsets[split]) }
    while let window = windows.next() {
      guard try write(window, layout) else { return false }
    }
    guard !text.wasOverwritten else { return false }
    try target.extend(to: layout.digest.lowerBound)
    try target.writeChecksum(at: layout.digest.lowerBound)
    try target.commit()
    return true
  }

  /// Reads the text once: writes the users of the training interactions to their place, and what
  /// comes later to temporary files.
  private func scan(
    progress: (Double) -> Void
  ) throws(DatasetError) -> InteractionFileWriter.Columns? {
    var users = NumberWriter<Int32>(target, at: PreparedLayout.headerByteCount)
    var items = NumberWriter<Int32>(trainItems, at: 0)
    var others = NumberWriter<Int32>(heldOut, at: 0)
    var occurs = BitSet()
    var lines = 0
    var done = 0
    let columns = try InteractionFile.scan(
      text, begin: { lines = $0 },
      take: { row, share throws(DatasetError) in
        // Users are numbered without gaps, so this one cannot be right.
        guard row.user < lines else { return false }
        count(row)
        occurs.insert(Int(row.item))
        if row.label == .train {
          try users.append(row.user)
          try items.append(row.item)
        } else {
          try others.append(row.user)
          try others.append(row.item)
          try others.append(Int32(row.label.rawValue))
        }
        done += 1
        if done % (1 << 20) == 0 { progress(share) }
        return true
      })
    try users.flush()
    try items.flush()
    try others.flush()
    counts.largestItem = occurs.largest ?? -1
    counts.missingItem = occurs.smallestMissing
    return columns
  }

  private func count(_ row: InteractionLineScanner.Row) {
    let user = Int(row.user)
    if user >= degrees[0].count {
      for split in 0..<3 {
        degrees[split] += repeatElement(0, count: user + 1 - degrees[split].count)
      }
    }
    degrees[Int(row.label.rawValue)][user] += 1
  }

  /// Counts what is kept and what is dropped.
  ///
  /// - Returns: false if there is nothing to train on, or a user without interactions.
  private func countAll() -> Bool {
    counts.users = degrees[0].count
    for user in 0..<counts.users {
      guard degrees[0][user] == 0 else {
        for split in 0..<3 { counts.interactions[split] += Int(degrees[split][user]) }
        continue
      }
      guard degrees[1][user] + degrees[2][user] > 0 else { return false }
      counts.dropped[0] += 1
      for split in 1..<3 {
        counts.dropped[split] += Int(degrees[split][user])
        degrees[split][user] = 0
      }
    }
    return counts.interactions[0] > 0
  }

  /// Whether no interaction that is dropped is there twice. The kept ones are compared when they
  /// are in the order of the users.
  private func areDroppedDistinct() throws(DatasetError) -> Bool {
    guard counts.dropped[0] > 0 else { return true }
    var seen: Set<UInt64> = []
    var areDistinct = true
    try forEachHeldOut { user, item, _ in
      guard degrees[0][user] == 0 else { return }
      if !seen.insert(UInt64(user) << 32 | UInt64(item)).inserted { areDistinct = false }
    }
    return areDistinct
  }

  /// Passes on the interactions of validation and test, dropped ones too.
  private func forEachHeldOut(
    _ body: (_ user: Int, _ item: Int32, _ split: Int) -> Void
  ) throws(DatasetError) {
    let count = (counts.interactions[1...] + counts.dropped[1...]).reduce(0, +)
    var numbers = NumberReader<Int32>(heldOut, at: 0, count: 3 * count)
    while let user = try numbers.next(), let item = try numbers.next(),
      let label = try numbers.next()
    {
      body(Int(user), item, Int(label))
    }
  }

  private func writeHeader(_ columns: InteractionFileWriter.Columns) throws(DatasetError) {
    var bytes = PreparedLayout.magic
    for word in [PreparedLayout.version, UInt32(columns.rawValue)] {
      withUnsafeBytes(of: word.littleEndian) { bytes += $0 }
    }
    bytes += sourceDigest.utf8
    for number in counts.numbers { withUnsafeBytes(of: number.littleEndian) { bytes += $0 } }
    try target.write(bytes, at: 0)
  }

  private func copyItems(to range: Range<Int>) throws(DatasetError) {
    var writer = NumberWriter<Int32>(target, at: range.lowerBound)
    var reader = NumberReader<Int32>(trainItems, at: 0, count: counts.interactions[0])
    while let item = try reader.next() { try writer.append(item) }
    try writer.flush()
  }

  private func writeOffsets(of split: Int, to range: Range<Int>) throws(DatasetError) {
    var writer = NumberWriter<Int>(target, at: range.lowerBound)
    var offset = 0
    try writer.append(0)
    for degree in degrees[split] {
      offset += Int(degree)
      try writer.append(offset)
    }
    try writer.flush()
  }

  /// Brings the interactions of some users into their order and writes their items.
  ///
  /// - Returns: false if a user has an item twice.
  private func write(
    _ window: UserWindows.Window, _ layout: PreparedLayout
  ) throws(DatasetError) -> Bool {
    var rows = (0..<3).map { WindowRows(degrees: degrees[$0], users: window.users) }
    var users = NumberReader<Int32>(
      target, at: layout.trainUsers.lowerBound, count: counts.interactions[0])
    var items = NumberReader<Int32>(trainItems, at: 0, count: counts.interactions[0])
    while let user = try users.next(), let item = try items.next() {
      rows[0].insert(item, of: Int(user))
    }
    try forEachHeldOut { user, item, split in rows[split].insert(item, of: user) }
    for split in 0..<3 { rows[split].sort() }
    guard WindowRows.areDistinct(rows) else { return false }
    for split in 0..<3 {
      try target.write(
        rows[split].items, at: layout.columns[split].lowerBound + window.first[split] * 4)
    }
    return true
  }
}
