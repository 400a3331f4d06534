/// Interactions of users with items, and the split of each: three columns of equal length, in the
/// order of the file.
public struct Interactions: Sendable, Equatable {
  /// `[count]`, ids from 0.
  public let users: [Int32]
  /// `[count]`, ids from 0.
  public let items: [Int32]
  /// `[count]`.
  public let labels: [SplitLabel]
  /// The file, or a name for interactions made in memory.
  public let source: String
  /// The columns of the file, whether they were read or not.
  package let columns: InteractionFileWriter.Columns
  private let lines: LineNumbers?

  public var count: Int { users.count }

  /// Interactions made in memory: first those to train on, then validation, then test.
  ///
  /// - Precondition: ids are in `0 ..< Int32.max`.
  public init(
    source: String = "interactions in memory", train: [(user: Int32, item: Int32)],
    valid: [(user: Int32, item: Int32)] = [], test: [(user: Int32, item: Int32)] = []
  ) {
    let all = train + valid + test
    precondition(
      all.allSatisfy { $0.user >= 0 && $0.item >= 0 && $0.user < .max && $0.item < .max },
      "an id outside 0 ..< \(Int32.max)")
    users = all.map(\.user)
    items = all.map(\.item)
    labels =
      train.map { _ in .train } + valid.map { _ in .valid } + test.map { _ in .test }
    self.source = source
    columns = .labels
    lines = nil
  }

  /// Interactions from columns; `lines` if they were read from a file.
  init(
    source: String, columns: InteractionFileWriter.Columns = .labels, users: [Int32],
    items: [Int32], labels: [SplitLabel], lines: LineNumbers?
  ) {
    self.source = source
    self.columns = columns
    self.users = users
    self.items = items
    self.labels = labels
    self.lines = lines
  }

  /// The line of an interaction, if it comes from a file.
  public func line(of row: Int) -> Int? { lines?.line(of: row) }

  /// The training row of a user and an item.
  func trainingRow(ofUser user: Int32, item: Int32) -> Int? {
    users.indices.first { users[$0] == user && items[$0] == item && labels[$0] == .train }
  }

  /// Whether the file has lines that could not be read and are missing here.
  var hasGaps: Bool { !(lines?.skipped.isEmpty ?? true) }

  /// A problem with these interactions, at a row's line where there is one.
  func problem(row: Int? = nil, _ message: String) -> DatasetError {
    DatasetError(
      .inconsistent, path: source, line: row.flatMap { line(of: $0) }, message)
  }
}

/// Which line of the file each row comes from: one line per row after the header, except for the
/// few lines that could not be read.
struct LineNumbers: Sendable, Equatable {
  /// Ascending.
  var skipped: [Int] = []

  func line(of row: Int) -> Int {
    var line = row + 2
    for skippedLine in skipped where skippedLine <= line { line += 1 }
    return line
  }
}

/// Users and items in two arrays, as a collection of pairs.
struct InteractionPairs: RandomAccessCollection {
  var users: [Int32] = []
  var items: [Int32] = []

  var startIndex: Int { 0 }
  var endIndex: Int { users.count }
  subscript(position: Int) -> (Int32, Int32) { (users[position], items[position]) }
}

extension Interactions {
  /// The interactions of one split, in the order of the file, of the users for which `isKept` is
  /// true.
  func pairs(of label: SplitLabel, keeping isKept: (Int32) -> Bool) -> InteractionPairs {
    let count = labels.count { $0 == label }
    var pairs = InteractionPairs()
    pairs.users.reserveCapacity(count)
    pairs.items.reserveCapacity(count)
    for row in labels.indices where labels[row] == label && isKept(users[row]) {
      pairs.users.append(users[row])
      pairs.items.append(items[row])
    }
    return pairs
  }
}
