internal import Files

/// Markup that is safe to put into a page: it is made of elements and of text, and text is escaped
/// when it becomes markup. There is no way to insert markup as a string.
///
/// Swift packages for this exist, but a page needs one function of them.
package struct HTML: Sendable, Equatable {
  /// The markup.
  package let markup: String

  /// Nothing.
  package init() { markup = "" }

  private init(markup: String) { self.markup = markup }

  /// Text. Characters that no page may hold, and those that change the direction of what follows,
  /// are replaced.
  package init(_ text: some StringProtocol) {
    var result = ""
    for scalar in text.withoutControlCharacters().unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case _ where scalar.value & 0xFFFE == 0xFFFE || (0xFDD0...0xFDEF).contains(scalar.value):
        result += "?"
      default: result.unicodeScalars.append(scalar)
      }
    }
    markup = result
  }

  /// One after the other.
  package init(_ parts: [HTML]) { markup = parts.map(\.markup).joined() }

  /// An element.
  ///
  /// - Parameters:
  ///   - name: of the element, such as `table`.
  ///   - attributes: by name; those that are nil are left out.
  ///   - content: what the element holds.
  package static func element(
    _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String?> = [:],
    @HTMLBuilder _ content: () throws -> HTML
  ) rethrows -> HTML {
    HTML(
      markup: "\(startTag(name, attributes))\(try content().markup)</\(name)>")
  }

  /// An element that holds nothing, such as a line of a drawing.
  package static func element(
    _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String?>
  ) -> HTML {
    HTML(markup: "\(startTag(name, attributes))</\(name)>")
  }

  /// An element that cannot hold anything, such as `meta`.
  package static func void(
    _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String?>
  ) -> HTML {
    HTML(markup: startTag(name, attributes))
  }

  private static func startTag(
    _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String?>
  ) -> String {
    let texts = attributes.compactMap { name, value in
      value.map { " \(name)=\"\(HTML($0).markup)\"" }
    }
    return "<\(name)\(texts.joined())>"
  }

  /// The rules of the page's only style sheet, which is no text from outside.
  static func style(_ rules: StaticString) -> HTML {
    HTML(markup: "<style>\(rules)</style>")
  }

  /// A whole page: its kind, then the element `html`.
  static func document(_ root: HTML) -> String { "<!DOCTYPE html>\n\(root.markup)\n" }
}

/// Makes ``HTML`` of what a block lists: markup, texts, loops and conditions.
@resultBuilder
package enum HTMLBuilder {
  package static func buildExpression(_ part: HTML) -> HTML { part }
  package static func buildExpression(_ text: String) -> HTML { HTML(text) }
  package static func buildExpression(_ parts: [HTML]) -> HTML { HTML(parts) }
  package static func buildBlock(_ parts: HTML...) -> HTML { HTML(parts) }
  package static func buildArray(_ parts: [HTML]) -> HTML { HTML(parts) }
  package static func buildOptional(_ part: HTML?) -> HTML { part ?? HTML() }
  package static func buildEither(first part: HTML) -> HTML { part }
  package static func buildEither(second part: HTML) -> HTML { part }
}

extension HTML {
  /// A paragraph.
  package static func paragraph(
    _ kind: String? = nil, @HTMLBuilder _ content: () -> HTML
  ) -> HTML {
    element("p", ["class": kind], content)
  }

  /// Text that was written elsewhere, such as a title, whose direction does not change that of its
  /// surroundings.
  ///
  /// - Parameter limit: how many characters are shown.
  package static func foreign(_ text: String, atMost limit: Int = 120) -> HTML {
    element("bdi") { text.sanitized(atMost: limit) }
  }

  /// Something to type, or a name of a file or a setting.
  package static func code(_ text: String) -> HTML { element("code") { text } }

  /// What is shown when a reader opens it.
  package static func details(
    _ summary: String, @HTMLBuilder _ content: () -> HTML
  ) -> HTML {
    element("details") {
      element("summary") { summary }
      content()
    }
  }
}
