import Datasets
import Files

/// What a column is for.
package enum ColumnRole: Int, CaseIterable, Sendable {
  case user
  case item
  case rating
  case time
  case label

  /// For messages.
  var words: String {
    switch self {
    case .user: "user"
    case .item: "item"
    case .rating: "rating"
    case .time: "timestamp"
    case .label: "x_label"
    }
  }
}

/// One interaction as the source writes it. The bytes belong to the reader and are valid until its
/// next row.
struct SourceRow {
  typealias Text = UnsafeRawBufferPointer

  var user = Text(start: nil, count: 0)
  var item = Text(start: nil, count: 0)
  /// Empty if the source has no ratings.
  var rating = Text(start: nil, count: 0)
  /// Empty if the source has no times.
  var time = Text(start: nil, count: 0)
  /// Empty if the source has no split.
  var label = Text(start: nil, count: 0)
}

/// Why a row cannot be used.
enum RowProblem: Equatable {
  case fieldCount(found: Int, expected: Int)
  case unclosedQuote
  case textAfterQuote
  /// With the parser's reason.
  case notAnObject(String)
  case missing(ColumnRole, key: String)
  case empty(ColumnRole)
  case notUTF8(ColumnRole)
  case controlCharacter(ColumnRole)
  case notANumber(ColumnRole, String)
  /// In a field, or nil: in a line of another number of fields.
  case nul(ColumnRole?)
  case tooLong(ColumnRole)
  case other(String)

  init(_ problem: DelimitedReader.Problem) {
    self = problem == .unclosedQuote ? .unclosedQuote : .textAfterQuote
  }

  /// Whether another row is damaged in the same way, perhaps with other values.
  func isLike(_ other: RowProblem) -> Bool {
    switch (self, other) {
    case (.notANumber(let role, _), .notANumber(let otherRole, _)): role == otherRole
    case (.missing(let role, _), .missing(let otherRole, _)): role == otherRole
    case (.notAnObject, .notAnObject): true
    case (.fieldCount(_, let expected), .fieldCount(_, let otherExpected)):
      expected == otherExpected
    default: self == other
    }
  }

  /// The column that has what cannot be used, if it is one.
  private var role: ColumnRole? {
    switch self {
    case .missing(let role, _), .empty(let role), .notUTF8(let role), .controlCharacter(let role),
      .notANumber(let role, _), .tooLong(let role):
      role
    case .nul(let role): role
    case .fieldCount, .unclosedQuote, .textAfterQuote, .notAnObject, .other: nil
    }
  }

  /// What to ask if no row can be used for this reason, as the end of a sentence.
  var question: String {
    guard let role, role != .label else { return ": is it the right file, and the right format?" }
    let option = "--\(role.option)-column"
    return ": is the column of the \(role.words) the right one? Name another with \(option)"
      + (role == .rating || role == .time ? ", or leave it out with \(option) none" : "")
  }

  /// As the rest of a sentence that begins with the line.
  var words: String {
    switch self {
    case .fieldCount(let found, let expected):
      return "has \(found) \(found == 1 ? "field" : "fields"), not \(expected)"
    case .unclosedQuote: return "begins a quoted field that is not closed"
    case .textAfterQuote: return "has text between the closing quote of a field and the delimiter"
    case .notAnObject(let reason): return "is no JSON object: \(reason.sanitized(atMost: 240))"
    case .missing(let role, let key):
      return "has no '\(key.sanitized(atMost: 40))', which is the \(role.words)"
    case .empty(let role): return "has an empty \(role.words)"
    case .notUTF8(let role):
      return "has a \(role.words) that is not UTF-8 text; \(TextEncoding.advice)"
    case .controlCharacter(let role):
      return "has a tab, a line break or another control character in the \(role.words)"
    case .nul(let role):
      return "has NUL bytes\(role.map { " in the \($0.words)" } ?? ""): the file was not written "
        + "completely, or is damaged; copy or export it again"
    case .notANumber(let role, let text):
      let shown = "'\(text.sanitized(atMost: 32))'"
      switch role {
      case .rating: return "has the rating \(shown), which is no finite number"
      case .time:
        return "has the timestamp \(shown), which is neither a number nor a date such as 2014-07-23"
      case .label:
        return "has the x_label \(shown); it must be 0 (train), 1 (validation) or 2 (test)"
      case .user, .item:
        return "has the \(role.words) \(shown), but ids that are kept are whole numbers from 0 to "
          + "\(InteractionFile.largestID); without --keep-ids, or with --format tsv, they are "
          + "numbered"
      }
    case .tooLong(let role): return "has a \(role.words) of more than \(IDText.longest) bytes"
    case .other(let words): return words
    }
  }
}

extension RowProblem {
  /// What can be done if most rows have the problem, as the end of a sentence.
  var adviceForMany: String {
    switch self {
    case .notANumber, .empty, .controlCharacter, .tooLong:
      otherColumn ?? "name another column of users or items, or repair the ids"
    case .notUTF8: "convert the file to UTF-8"
    case .nul: "copy or export it again"
    case .fieldCount, .unclosedQuote, .textAfterQuote, .notAnObject, .missing, .other:
      "it is probably written in another way than it was taken for: give its columns, "
        + "--no-header or --format"
    }
  }

  /// What can be done about a column that is not needed; nil if the problem is not one of it.
  var otherColumn: String? {
    switch self {
    case .notANumber(let role, _), .empty(let role):
      role == .rating || role == .time
        ? "name another column of \(role.option)s, or leave it out with "
          + "--\(role.option)-column none"
        : nil
    default: nil
    }
  }
}

/// Checks of ids that are used as they are written.
enum IDText {
  /// The longest id, bytes.
  static let longest = 4096

  static func problem(_ text: UnsafeRawBufferPointer, of role: ColumnRole) -> RowProblem? {
    if text.isEmpty { return .empty(role) }
    if text.count > longest { return .tooLong(role) }
    if text.contains(0) { return .nul(role) }
    if text.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return .controlCharacter(role) }
    return isUTF8(text) ? nil : .notUTF8(role)
  }
}

/// What a reader of rows found.
enum RowStep {
  case row
  case damaged(RowProblem)
  case end
}

/// Reads the rows of one file.
protocol RowReader: AnyObject {
  /// The roles that the rows have.
  var roles: Set<ColumnRole> { get }
  /// The number of the line of the last row, from 1.
  var lineNumber: Int { get }

  /// Moves to the next row.
  func next(_ row: inout SourceRow) throws(DatasetError) -> RowStep
}
