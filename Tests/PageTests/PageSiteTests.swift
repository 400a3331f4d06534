import Foundation
import Page
import Testing
import Web

@Suite("The page's files and answers")
struct PageSiteTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private let site = PageSite(
    PageSite.Source(
      runs: { Array("{}".utf8) },
      run: { key, since in key == "a b" ? Array("\(since)".utf8) : nil }))

  private func text(_ response: WebResponse) -> String {
    String(decoding: response.body, as: UTF8.self)
  }

  @Test("the program has the files of Sources/Page/Site as they are")
  func filesAreCurrent() throws {
    let folder = Self.root.appendingPathComponent("Sources/Page/Site")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.count > 4)
    for name in names where name != "index.html" {
      let response = site.respond(to: WebRequest(path: "/\(name)"))
      let file = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
      #expect(response.status == 200)
      #expect(text(response) + "\n" == file, "run scripts/embed-page: \(name) differs")
    }
  }

  @Test("the page names only files that it has, and no other address")
  func selfContained() throws {
    let page = text(site.respond(to: WebRequest(path: "/")))
    let names = page.matches(of: /(?:src|href)="([^"#][^"]*)"/).map { String($0.1) }
    #expect(names.count > 4)
    for name in names {
      #expect(site.respond(to: WebRequest(path: "/\(name)")).status == 200, "\(name)")
    }
    for name in names + ["index.html"] {
      let content = text(site.respond(to: WebRequest(path: "/\(name)")))
      let addresses = content.matches(of: /https?:\/\/[^"'\s]*/).map { String($0.0) }
      #expect(addresses.allSatisfy { $0 == "http://www.w3.org/2000/svg" }, "\(name)")
      #expect(!content.contains("innerHTML") && !content.contains("insertAdjacentHTML"), "\(name)")
      #expect(!content.contains(" style=") && !content.contains(" onclick="), "\(name)")
    }
  }

  @Test("its policy allows nothing but its own files")
  func policy() throws {
    let response = site.respond(to: WebRequest(path: "/"))
    let header = response.headers.first { $0.name == "Content-Security-Policy" }
    let policy = try #require(header?.value)
    #expect(policy.hasPrefix("default-src 'none'"))
    #expect(!policy.contains("unsafe") && !policy.contains("*") && !policy.contains("http"))
  }

  @Test("a token is passed on to the page's files, and cannot become markup")
  func token() {
    let request = WebRequest(path: "/", query: ["token": "a\"><script>b"])
    let page = text(site.respond(to: request))
    #expect(page.contains("page.js?token=a%22%3E%3Cscript%3Eb\""))
    #expect(!page.contains("<script>b") && !page.contains("{{QUERY}}"))
  }

  @Test("runs by key, with the first epoch; others are not found")
  func answers() {
    func answer(_ query: [String: String]) -> WebResponse {
      site.respond(to: WebRequest(path: "/api/run", query: query))
    }
    #expect(text(answer(["run": "a b", "since": "12"])) == "12")
    #expect(text(answer(["run": "a b"])) == "0")
    #expect(answer(["run": "../etc"]).status == 404)
    for since in ["-1", "x", "", "99999999999999999999"] {
      #expect(answer(["run": "a b", "since": since]).status == 400, "\(since)")
    }
    for path in ["/api", "/../PageFiles.swift", "//", "/index.html/", "/api/runs/x", "/%00"] {
      #expect(site.respond(to: WebRequest(path: path)).status == 404, "\(path)")
    }
  }

  @Test("before there is a run the answer is null, which is no error in a browser's console")
  func nothingYet() {
    let empty = PageSite(
      PageSite.Source(runs: { PageSite.Source.nothingYet }, run: { _, _ in nil }))
    let answer = empty.respond(to: WebRequest(path: "/api/runs"))
    #expect(answer.status == 200 && text(answer) == "null")
  }
}
