/// A line of fields that fits a width: each field has several forms, and those that matter least
/// are shortened or left out first.
struct FittedLine: Sendable, Equatable {
  /// A field in its forms, the longest first. An empty form leaves the field out.
  struct Field: Sendable, Equatable {
    private let forms: [String]
    private var form = 0

    init(_ forms: String...) { self.forms = forms }

    var text: String { forms.isEmpty ? "" : forms[form] }

    fileprivate mutating func shorten() { form = min(form + 1, max(0, forms.count - 1)) }
  }

  /// A step that makes the line shorter.
  enum Step: Sendable, Equatable {
    /// The next form of a field.
    case shorten(Int)
    /// One space between fields in place of two.
    case closeUp
  }

  private var fields: [Field]
  private let steps: [Step]
  private var separator = "  "

  /// - Parameters:
  ///   - fields: from left to right.
  ///   - steps: what is done for a shorter line, in this order; the numbers are those of fields.
  init(_ fields: [Field], steps: [Step]) {
    self.fields = fields
    self.steps = steps
  }

  /// The line in the longest form that has at most `limit` characters; cut off if the shortest has
  /// more.
  func text(atMost limit: Int) -> String {
    var line = self
    // Blanks at the end of a field count: lines of the same run get the same forms.
    for step in steps where line.text.count > limit { line.take(step) }
    return String(line.text.reversed().drop { $0 == " " }.reversed().prefix(limit))
  }

  private var text: String {
    fields.map(\.text).filter { !$0.isEmpty }.joined(separator: separator)
  }

  private mutating func take(_ step: Step) {
    switch step {
    case .closeUp: separator = " "
    case .shorten(let index): fields[index].shorten()
    }
  }
}
