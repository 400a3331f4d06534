/// Interactions as they were recorded, before a split or with one that may be replaced: columns of
/// equal length, in the order of the file.
public struct RawInteractions: Sendable, Equatable {
  /// `[count]`, ids from 0.
  public let users: [Int32]
  /// `[count]`, ids from 0.
  public let items: [Int32]
  /// `[count]`, NaN where the rating is not known; nil if the file has no column `rating`.
  public let ratings: [Float]?
  /// `[count]`, seconds since 1970, NaN where the time is not known; nil if the file has no column
  /// `timestamp`.
  public let times: [Double]?
  /// `[count]`; nil if the file has no column `x_label`: the interactions are not split yet.
  public let labels: [SplitLabel]?
  /// The file, or a name for interactions made in memory.
  public let source: String

  public var count: Int { users.count }

  /// Interactions from columns.
  ///
  /// - Precondition: the columns are of one length, and ids are in `0 ..< Int32.max`.
  public init(
    source: String = "interactions in memory", users: [Int32], items: [Int32],
    ratings: [Float]? = nil, times: [Double]? = nil, labels: [SplitLabel]? = nil
  ) {
    let counts = [items.count, ratings?.count, times?.count, labels?.count]
    precondition(
      counts.allSatisfy { $0 ?? users.count == users.count }, "columns of \(counts) rows")
    self.source = source
    self.users = users
    self.items = items
    self.ratings = ratings
    self.times = times
    self.labels = labels
  }

  init(source: String, columns: Columns) {
    self.init(
      source: source, users: columns.users, items: columns.items, ratings: columns.ratings,
      times: columns.times, labels: columns.labels)
  }

  /// The line of an interaction in the file that all of them were read from.
  public func line(of row: Int) -> Int { row + 2 }

  /// Columns that grow row by row; those that a file lacks stay nil.
  struct Columns {
    private(set) var users: [Int32] = []
    private(set) var items: [Int32] = []
    private(set) var ratings: [Float]?
    private(set) var times: [Double]?
    private(set) var labels: [SplitLabel]?

    init(_ header: InteractionHeader, capacity: Int) {
      ratings = header.roles.contains(.rating) ? [] : nil
      times = header.roles.contains(.time) ? [] : nil
      labels = header.roles.contains(.label) ? [] : nil
      users.reserveCapacity(capacity)
      items.reserveCapacity(capacity)
      ratings?.reserveCapacity(capacity)
      times?.reserveCapacity(capacity)
      labels?.reserveCapacity(capacity)
    }

    mutating func append(_ row: InteractionLineScanner.Row, _ scanner: InteractionLineScanner) {
      users.append(row.user)
      items.append(row.item)
      ratings?.append(Float(scanner.rating))
      times?.append(scanner.time)
      labels?.append(row.label)
    }
  }
}
