/// Writes a `.inter` file row by row, in the layout that ``InteractionFile`` reads. The file
/// appears under its name when it is finished.
package final class InteractionFileWriter {
  /// The columns next to those of users and items.
  package struct Columns: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let ratings = Columns(rawValue: 1)
    package static let times = Columns(rawValue: 2)
    package static let labels = Columns(rawValue: 4)
  }

  private static let tab = UInt8(ascii: "\t")
  private static let flushByteCount = 256 << 10

  private let file: AtomicFile
  private let columns: Columns
  private var buffer: [UInt8]

  /// Starts a file.
  ///
  /// - Throws: ``DatasetError`` if it cannot be created.
  package init(path: String, columns: Columns) throws(DatasetError) {
    self.columns = columns
    file = try AtomicFile(path: path)
    buffer = Array(Self.header(columns).utf8)
  }

  /// The first line of a file, with its line end.
  package static func header(_ columns: Columns) -> String {
    var names = ["userID", "itemID"]
    if columns.contains(.ratings) { names.append("rating") }
    if columns.contains(.times) { names.append("timestamp") }
    if columns.contains(.labels) { names.append("x_label") }
    return names.joined(separator: "\t") + "\n"
  }

  /// Appends an interaction. What the file has no column for is left out; a rating or a time that
  /// is not finite becomes an empty field.
  ///
  /// - Throws: ``DatasetError`` if the file cannot be written.
  /// - Precondition: ids are at least 0.
  package func append(
    user: Int32, item: Int32, rating: Float = .nan, time: Double = .nan, label: SplitLabel = .train
  ) throws(DatasetError) {
    append(UInt64(user))
    buffer.append(Self.tab)
    append(UInt64(item))
    if columns.contains(.ratings) { appendField(Double(rating), shortest: "\(rating)") }
    if columns.contains(.times) { appendField(time, shortest: "\(time)") }
    if columns.contains(.labels) {
      buffer.append(Self.tab)
      buffer.append(UInt8(ascii: "0") + label.rawValue)
    }
    buffer.append(UInt8(ascii: "\n"))
    if buffer.count >= Self.flushByteCount { try flush() }
  }

  /// Gives the file its name.
  ///
  /// - Throws: ``DatasetError`` if it cannot be written.
  package func finish() throws(DatasetError) {
    try flush()
    try file.commit()
  }

  /// Appends a tab and a number: whole numbers without a point, all others with as many digits as
  /// they need.
  private func appendField(_ number: Double, shortest: @autoclosure () -> String) {
    buffer.append(Self.tab)
    guard number.isFinite else { return }
    guard number == number.rounded(), number.magnitude < 1e15 else {
      buffer.append(contentsOf: shortest().utf8)
      return
    }
    if number < 0 { buffer.append(UInt8(ascii: "-")) }
    append(UInt64(number.magnitude))
  }

  private func append(_ number: UInt64) {
    let start = buffer.count
    var rest = number
    repeat {
      buffer.append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    buffer[start...].reverse()
  }

  private func flush() throws(DatasetError) {
    try file.write(buffer)
    buffer.removeAll(keepingCapacity: true)
  }
}
