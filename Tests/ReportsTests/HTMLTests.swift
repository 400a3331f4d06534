import Reports
import Testing

@Suite struct HTMLTests {
  @Test("texts and attributes cannot become markup")
  func escaping() {
    let evil = "<script>alert(\"1\" + '2')</script> & \u{202E}x\u{0}\u{FFFE}"
    let escaped =
      "&lt;script&gt;alert(&quot;1&quot; + &#39;2&#39;)&lt;/script&gt; &amp; ?x??"
    #expect(HTML(evil).markup == escaped)
    let element = HTML.element("p", ["title": evil, "class": nil]) { evil }
    #expect(element.markup == "<p title=\"\(escaped)\">\(escaped)</p>")
    #expect(HTML.foreign(evil).markup.contains("&lt;script&gt;"))
  }

  @Test("a table has a header per column, and its first cells name the rows")
  func table() {
    let table = HTMLTable(
      "Metrics", columns: [.text("metric"), .number("@20")], rows: [["recall", "0.1"]])
    #expect(table.html.markup.contains("<caption>Metrics</caption>"))
    #expect(table.html.markup.contains("<th scope=\"col\" class=\"number\">@20</th>"))
    #expect(table.html.markup.contains("<th scope=\"row\">recall</th>"))
    #expect(table.html.markup.contains("<td class=\"number\">0.1</td>"))
  }

  @Test("a page lists its parts, and its policy allows neither scripts nor requests")
  func page() {
    let page = ReportPage(
      title: "A & B", subtitle: "", introduction: HTML("begin"),
      sections: [ReportSection("one", "Part <1>") { "text" }], footer: "end")
    #expect(page.text.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\">"))
    #expect(page.text.contains("<title>A &amp; B</title>"))
    #expect(page.text.contains("<a href=\"#one\">Part &lt;1&gt;</a>"))
    #expect(page.text.contains("<h2 id=\"one\">Part &lt;1&gt;</h2>"))
    #expect(page.text.contains("content=\"default-src &#39;none&#39;; style-src"))
  }
}
