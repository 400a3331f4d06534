import Foundation
import TestSupport
import Testing

/// Reports of real runs, on data with titles that try to become markup.
@Suite struct ReportTests {
  private static let evil = "<script>alert('x')</script> & \"quoted\""

  /// Data with titles and categories, and a run on it.
  private static func trained() throws -> (folder: TemporaryFolder, data: String, run: String) {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let items = (0..<90).map { "\($0)\tT\($0)\t\(evil) no. \($0)\tkind \($0 % 3)\n" }
    try folder.write(
      "itemID\tid\ttitle\tcategories\n" + items.joined(), to: "data/items.tsv")
    let run = folder.path("run")
    let train = try Command(
      "train", "--data", data, "--run", run, "--single-process", "--epochs", "3", "--quiet",
      "--set", "embedding_size=16", "--set", "topk=[5, 20]")
    #expect(train.status == 0, "\(train.errors)")
    return (folder, data, run)
  }

  @Test("a report of a run has its numbers and titles, and neither markup from outside nor scripts")
  func run() throws {
    let (folder, data, run) = try Self.trained()
    let out = folder.path("report.html")
    let command = try Command("report", run, "--out", out, "--quiet")
    #expect(command.status == 0 && command.errors.isEmpty, "\(command.errors)")
    let text = try folder.text("report.html")
    let summary = try folder.object("run/summary.json")
    for split in ["valid", "test"] {
      let values = try #require(summary[split] as? [String: Double])
      #expect(values.count == 8)
      for (name, value) in values {
        #expect(text.contains(">\(String(format: "%.4f", value))<"), "\(split) \(name)")
      }
    }
    let usage = try #require(summary["usage"] as? [String: Any])
    let seconds = try #require((usage["cpu_seconds"] as? [String: Double])?["total"])
    #expect(text.contains(">\(String(format: "%.1f s", seconds))<") && text.contains("an estimate"))
    #expect(text.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;quoted"))
    for banned in ["<script", "http:", "https:", "src=", "url(", "@import"] {
      #expect(!text.contains(banned), "\(banned)")
    }
    #expect(text.firstMatch(of: /\bnan\b/) == nil)
    for id in [
      "metrics", "curves", "gauges", "map", "neighbours", "recommendations", "catalogue", "groups",
      "configuration", "environment", "reproduction",
    ] {
      #expect(text.contains("<h2 id=\"\(id)\">"), "\(id)")
    }
    #expect(text.contains("kind 1") && text.contains("--single-process"))
    // The same run gives the same bytes.
    _ = try Command("report", run, "--out", folder.path("again.html"), "--quiet")
    #expect(try folder.text("again.html") == text)

    // Without its data a report has what the run's own files say, and says what is missing.
    let moved = folder.path("moved")
    try FileManager.default.moveItem(atPath: data, toPath: moved)
    let partial = try Command("report", run, "--out", out, "--quiet")
    #expect(partial.status == 0 && partial.errors.contains("warning: not in the report"))
    let shorter = try folder.text("report.html")
    #expect(shorter.contains("Missing: ") && !shorter.contains("<h2 id=\"map\">"))
    let found = try Command("report", run, "--data", moved, "--out", out, "--quiet")
    #expect(found.status == 0 && found.errors.isEmpty, "\(found.errors)")
    #expect(try folder.text("report.html") == text)
    let other = try Command("report", run, "--data", folder.path, "--out", out, "--quiet")
    #expect(other.status != 0 && !other.errors.isEmpty)
    #expect(try folder.text("report.html") == text)
  }

  @Test("unfinished and damaged runs: a report that says so, or an error with the line")
  func unfinished() throws {
    let (folder, _, run) = try Self.trained()
    let out = folder.path("report.html")
    let files = FileManager.default
    try files.removeItem(atPath: "\(run)/summary.json")
    // The last line is being written.
    let metrics = try folder.text("run/metrics.jsonl")
    try folder.write(metrics + "{\"epoch\":3,\"lo", to: "run/metrics.jsonl")
    let unfinished = try Command("report", run, "--out", out, "--quiet", "--without-users")
    #expect(unfinished.status == 0, "\(unfinished.errors)")
    let text = try folder.text("report.html")
    #expect(text.contains("This run is not finished") && text.contains("epochs 0 to 2"))
    #expect(text.contains("<h2 id=\"map\">") && !text.contains("<h2 id=\"recommendations\">"))

    try files.removeItem(atPath: "\(run)/best.json")
    let early = try Command("report", run, "--out", out, "--quiet")
    #expect(early.status == 0, "\(early.errors)")
    #expect(try folder.text("report.html").contains("No model is saved yet"))

    try files.removeItem(atPath: out)
    try folder.write("{\"epoch\":0}\nnonsense\n", to: "run/metrics.jsonl")
    let damaged = try Command("report", run, "--out", out, "--quiet")
    #expect(damaged.status == 65 && damaged.errors.contains("line 2"), "\(damaged.errors)")
    for (arguments, status, part) in [
      ([folder.path("none")], Int32(66), "it holds no run"),
      ([run, "--decomposition", folder.path("none.json")], 66, "Cannot read the decomposition"),
      ([run, run, "--decompose"], 64, "for a report on one run"),
      ([run, "--metric", "recall@5"], 64, "for a report on several runs"),
    ] {
      let command = try Command(arguments: ["report"] + arguments + ["--out", out, "--quiet"])
      #expect(command.status == status && command.errors.contains(part), "\(command.errors)")
    }
    let entries = try files.contentsOfDirectory(atPath: folder.path)
    #expect(!entries.contains { $0.hasPrefix("report.html") }, "\(entries)")
  }

  @Test("reports of a sweep and of a comparison have the numbers of compare")
  func several() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let sweep = folder.path("sweep")
    let train = try Command(
      "sweep", "--data", data, "--run", sweep, "--quiet", "--set", "epochs=2", "--set",
      "embedding_size=8", "--set", "model=bpr", "--set", "objective=plain", "--set",
      "learning_rate=[0.01, 0.001]", "--set", "seed=[1, 2]", "--set",
      "hyper_parameters=[learning_rate, seed]")
    #expect(train.status == 0, "\(train.errors)")
    let out = folder.path("report.html")
    let search = try Command("report", sweep, "--out", out, "--quiet")
    #expect(search.status == 0, "\(search.errors)")
    let text = try folder.text("report.html")
    #expect(text.contains("Search among settings") && text.contains("so too good"))
    #expect(text.contains("Comparison on validation") && !text.contains("Comparison on test"))

    for option in ["--decompose", "--groups"] {
      let refused = try Command("report", sweep, option, "--out", out, "--quiet")
      #expect(refused.status == 64 && refused.errors.contains("sweep"), "\(refused.errors)")
    }

    let runs = try FileManager.default.contentsOfDirectory(atPath: "\(sweep)/runs").sorted()
      .map { "\(sweep)/runs/\($0)" }
    let options = ["--include-search-seeds", "--groups"]
    let comparison = try Command(
      arguments: ["report"] + runs + options + ["--out", out, "--quiet"])
    #expect(comparison.status == 0, "\(comparison.errors)")
    let compared = try Command(arguments: ["compare"] + runs + options + ["--json"])
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(compared.output.utf8)) as? [String: Any])
    let rows = try #require(object["rows"] as? [[String: Any]])
    let page = try folder.text("report.html")
    #expect(rows.count == 2)
    for row in rows {
      for (name, value) in try #require(row["values"] as? [String: [String: Any]]) {
        let mean = try #require(value["mean"] as? Double)
        #expect(page.contains(">\(String(format: "%.4f ± ", mean))"), "\(name)")
      }
      for (name, value) in try #require(row["differences"] as? [String: [String: Any]]) {
        let gain = try #require(value["relative_gain"] as? Double)
        #expect(page.contains(">\(String(format: "%+.2f %%", gain * 100))<"), "\(name)")
      }
    }
    #expect(page.contains("<h2 id=\"groups\">") && page.contains("<h2 id=\"spread\">"))
  }
}
