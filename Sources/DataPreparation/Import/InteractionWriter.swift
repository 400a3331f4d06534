import Datasets
import Files

/// Checks rows, gives their users and items numbers and writes them as `NAME.inter`, in the order
/// of the source.
///
/// ``InteractionFileWriter`` writes the same columns from numbers. Here texts of the source are
/// written: a rating and a time keep all their digits, which no `Float` and no `Double` has, and no
/// number of 25 million rows is read and printed again.
final class InteractionWriter {
  let users: IDNumbering
  let items: IDNumbering
  private(set) var rowCount = 0
  /// How times were written.
  private(set) var timeUnits = Set<TimeText.Unit>()
  private var lastTimeUnit: TimeText.Unit?
  private let hasRatings: Bool
  private let hasTimes: Bool
  private let takesOrder: Bool
  private let hasLabels: Bool
  private let file: BufferedFile

  /// - Parameters:
  ///   - roles: the columns that are known.
  ///   - keepsIDs: whether ids are whole numbers that stay as they are.
  ///   - takesOrder: whether the time of a row is how many were written before.
  init(
    path: String, roles: Set<ColumnRole>, keepsIDs: Bool, takesOrder: Bool = false
  ) throws(DatasetError) {
    self.takesOrder = takesOrder
    users = IDNumbering(.user, keepsIDs: keepsIDs)
    items = IDNumbering(.item, keepsIDs: keepsIDs)
    hasRatings = roles.contains(.rating)
    hasTimes = roles.contains(.time)
    hasLabels = roles.contains(.label)
    file = try BufferedFile(path: path)
    var columns: InteractionFileWriter.Columns = []
    if hasRatings { columns.insert(.ratings) }
    if hasTimes { columns.insert(.times) }
    if hasLabels { columns.insert(.labels) }
    try file.write(InteractionFileWriter.header(columns))
  }

  /// Writes a row.
  ///
  /// - Parameter splitLabel: the label of all rows of the file, if it is one part of a split.
  /// - Returns: why it cannot be used; then nothing was written, and no id has got a number.
  func add(_ row: SourceRow, label splitLabel: SplitLabel?) throws(DatasetError) -> RowProblem? {
    var rating: Rating?
    if hasRatings {
      guard let read = Rating(row.rating) else { return Self.problem(row.rating, of: .rating) }
      rating = read
    }
    var time: TimeText.Time?
    if takesOrder {
      time = TimeText.Time(seconds: rowCount, nanoseconds: 0, unit: .seconds)
    } else if hasTimes {
      guard let read = TimeText.parse(NumberText.trimmed(row.time)) else {
        return Self.problem(row.time, of: .time)
      }
      time = read
    }
    var label = splitLabel
    if label == nil, hasLabels {
      guard let read = Self.label(row.label) else { return Self.problem(row.label, of: .label) }
      label = read
    }
    var problem: RowProblem?
    guard let user = users.check(row.user, &problem), let item = items.check(row.item, &problem)
    else { return problem }
    try file.reserve(256)
    file.put(decimal: Int(users.number(user)))
    file.put(UInt8(ascii: "\t"))
    file.put(decimal: Int(items.number(item)))
    if let rating { write(rating) }
    if let time { write(time) }
    if let label {
      file.put(UInt8(ascii: "\t"))
      file.put(UInt8(ascii: "0") + label.rawValue)
    }
    file.put(UInt8(ascii: "\n"))
    rowCount += 1
    return nil
  }

  func commit() throws(DatasetError) { try file.commit() }

  /// A rating: copied if it is a plain number. It must be one as a `Float` too, which readers of
  /// the file use.
  private enum Rating {
    case text(UnsafeRawBufferPointer)
    case number(Double)

    init?(_ text: UnsafeRawBufferPointer) {
      // Below 10³⁸ a number is a finite `Float`.
      if text.count <= 38, NumberText.isPlain(text) {
        self = .text(text)
      } else if let number = NumberText.finite(NumberText.trimmed(text)), Float(number).isFinite {
        self = .number(number)
      } else {
        return nil
      }
    }
  }

  private func write(_ rating: Rating) {
    file.put(UInt8(ascii: "\t"))
    switch rating {
    case .text(let text): file.put(text)
    case .number(let number):
      var text = "\(number)"
      text.withUTF8 { file.put(UnsafeRawBufferPointer($0)) }
    }
  }

  private func write(_ time: TimeText.Time) {
    if time.unit != lastTimeUnit {
      lastTimeUnit = time.unit
      timeUnits.insert(time.unit)
    }
    file.put(UInt8(ascii: "\t"))
    var seconds = time.seconds
    var nanoseconds = time.nanoseconds
    if seconds < 0, nanoseconds > 0 {
      // -1.25 is 1.25 seconds before 1970, but a time counts nanoseconds onwards.
      seconds += 1
      nanoseconds = 1_000_000_000 - nanoseconds
      if seconds == 0 { file.put(UInt8(ascii: "-")) }
    }
    file.put(decimal: seconds)
    guard nanoseconds > 0 else { return }
    file.put(UInt8(ascii: "."))
    var scale = 100_000_000
    while nanoseconds > 0 {
      file.put(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: nanoseconds / scale))
      nanoseconds %= scale
      scale /= 10
    }
  }

  private static func problem(
    _ text: UnsafeRawBufferPointer, of role: ColumnRole
  ) -> RowProblem {
    text.isEmpty
      ? .empty(role) : .notANumber(role, String(decoding: text.prefix(64), as: UTF8.self))
  }

  /// `0`, `1` or `2`; some exporters write `0.0`.
  private static func label(_ text: UnsafeRawBufferPointer) -> SplitLabel? {
    guard let first = text.first, first >= UInt8(ascii: "0"),
      text.count == 1
        || (text[1] == UInt8(ascii: ".") && text[2...].allSatisfy { $0 == UInt8(ascii: "0") })
    else { return nil }
    return SplitLabel(rawValue: first - UInt8(ascii: "0"))
  }
}
