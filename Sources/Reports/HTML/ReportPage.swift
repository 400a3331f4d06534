/// A part of a report with its heading.
package struct ReportSection: Sendable {
  /// Names the part in links: letters and dashes.
  let id: String
  let title: String
  let content: HTML

  package init(_ id: String, _ title: String, @HTMLBuilder _ content: () throws -> HTML) rethrows {
    self.id = id
    self.title = title
    self.content = try content()
  }
}

/// A report as one file: no script, no font, no image and no request to anywhere, which its policy
/// also forbids.
package struct ReportPage: Sendable {
  private let title: String
  private let subtitle: String
  private let introduction: HTML
  private let sections: [ReportSection]
  private let footer: String

  /// - Parameters:
  ///   - subtitle: a sentence under the title.
  ///   - introduction: what stands before the first section.
  ///   - footer: which program made it, from what.
  package init(
    title: String, subtitle: String, introduction: HTML, sections: [ReportSection], footer: String
  ) {
    self.title = title
    self.subtitle = subtitle
    self.introduction = introduction
    self.sections = sections
    self.footer = footer
  }

  /// The file's content.
  package var text: String {
    HTML.document(
      .element("html", ["lang": "en"]) {
        head
        HTML.element("body") {
          HTML.element("a", ["class": "skip", "href": "#report"]) { "Skip the list of contents" }
          HTML.element("header") {
            HTML.element("h1") { title }
            HTML.paragraph("subtitle") { subtitle }
          }
          contents
          HTML.element("main", ["id": "report"]) {
            introduction
            for section in sections {
              HTML.element("section", ["aria-labelledby": section.id]) {
                HTML.element("h2", ["id": section.id]) { section.title }
                section.content
              }
            }
          }
          HTML.element("footer") { HTML.paragraph { footer } }
        }
      })
  }

  private var head: HTML {
    .element("head") {
      HTML.void("meta", ["charset": "utf-8"])
      HTML.void(
        "meta",
        [
          "http-equiv": "Content-Security-Policy",
          "content": "default-src 'none'; style-src 'unsafe-inline'",
        ])
      HTML.void("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
      HTML.void("meta", ["name": "color-scheme", "content": "light dark"])
      HTML.void("meta", ["name": "generator", "content": "mrdib report"])
      HTML.element("title") { title }
      HTML.style(StyleSheet.rules)
    }
  }

  private var contents: HTML {
    .element("nav", ["aria-label": "Contents"]) {
      HTML.element("ol") {
        for section in sections {
          HTML.element("li") {
            HTML.element("a", ["href": "#\(section.id)"]) { section.title }
          }
        }
      }
    }
  }
}
