import Foundation
import TestSupport
import Testing

/// Recommendations for many users, original ids, and what `export` writes of them.
@Suite struct RecommendTests {
  private static let userCount = 150

  /// A run of VBPR on a data set whose folder has tables of ids.
  private struct Trained {
    let folder: TemporaryFolder
    let data: String
    var run: String { folder.path("run") }

    init() throws {
      folder = try TemporaryFolder()
      data = try folder.generateData()
      let users = (0..<RecommendTests.userCount).map { "\($0)\tuser-\($0 * 7)\n" }.joined()
      let items = (0..<90).map { "\($0)\tB\($0)X\tThing \($0)\n" }.joined()
      try folder.write("userID\tid\n" + users, to: "data/users.tsv")
      try folder.write("itemID\tid\ttitle\n" + items, to: "data/items.tsv")
      let train = try Command(
        "train", "--data", data, "--run", run, "--single-process", "--epochs", "2", "--quiet")
      #expect(train.status == 0, "\(train.errors)")
    }

    func recommend(_ options: String..., status: Int32 = 0) throws -> Command {
      let command = try Command(arguments: ["recommend", "--run", run] + options)
      #expect(command.status == status, "\(command.errors)")
      return command
    }
  }

  private static func rows(_ tsv: String) -> [[String]] {
    tsv.split(separator: "\n").map {
      $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }
  }

  @Test("all users, some of a list and one alone get the same items, by their original ids")
  func manyUsers() throws {
    let trained = try Trained()
    let all = Self.rows(try trained.recommend("--all", "--top", "3", "--format", "tsv").output)
    #expect(all[0] == ["user", "rank", "item", "score", "title", "reason", "share"])
    #expect(all.count == 1 + 3 * Self.userCount)
    let row = try #require(all.first { $0[0] == "user-35" })
    let item = try #require(Int(row[2].dropFirst().dropLast()))
    #expect(row[1] == "1" && row[2] == "B\(item)X" && row[4] == "Thing \(item)")
    #expect(["interactions", "visual", "text"].contains(row[5]))
    #expect((1.0 / 3...1).contains(Double(row[6]) ?? 0))

    let list = try trained.folder.write("user-35\r\n\nuser-0\n", to: "list")
    let some = Self.rows(
      try trained.recommend("--users", list, "--top", "3", "--format", "tsv").output)
    #expect(some.dropFirst().prefix(3) == all.filter { $0[0] == "user-35" }[...])
    #expect(some.dropFirst(4) == all.filter { $0[0] == "user-0" }[...])

    let single = try trained.recommend("--user", "user-35", "--top", "3", "--json")
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(single.output.utf8)) as? [String: Any])
    #expect(object["user"] as? Int == 5 && object["user_id"] as? String == "user-35")
    let items = try #require(object["items"] as? [[String: Any]])
    #expect(
      items.compactMap { $0["item_id"] as? String }
        == all.filter { $0[0] == "user-35" }.map { $0[2] })
    #expect((items[0]["contributions"] as? [String: Double])?.count == 3)

    let lines = try trained.recommend("--all", "--top", "3", "--format", "jsonl").output
      .split(separator: "\n")
    #expect(lines.count == Self.userCount)
    let fifth = try #require(
      try JSONSerialization.jsonObject(with: Data(lines[5].utf8)) as? NSDictionary)
    #expect(fifth == object as NSDictionary)

    let dense = try trained.recommend("--user", "5", "--top", "3", "--ids", "dense")
    #expect(dense.output.contains("user 5 (") && !dense.output.contains("Thing"))
    let table = try trained.recommend("--user", "user-35", "--user", "user-7", "--top", "3")
    #expect(table.output.hasPrefix("user user-35 (") && table.output.contains("\n\nuser user-7 ("))
    #expect(table.output.contains("Thing \(item)"))
  }

  @Test("ids that do not exist: the line, a similar id or how ids look; or they are left out")
  func unknownUsers() throws {
    let trained = try Trained()
    let near = try trained.recommend("--user", "usr-35", status: 64)
    #expect(near.errors.contains("'usr-35'") && near.errors.contains("Did you mean 'user-35'?"))
    let far = try trained.recommend("--user", "35", status: 64)
    #expect(far.errors.contains("look like 'user-0'") && far.errors.contains("--ids dense"))
    let list = try trained.folder.write("user-7\nnone of them\nuser-0\n", to: "list")
    let stopped = try trained.recommend("--users", list, "--format", "tsv", status: 64)
    #expect(stopped.errors.contains("line 2 of '\(list)'"), "\(stopped.errors)")
    // The users before the line have their answers.
    #expect(Set(Self.rows(stopped.output).dropFirst().map { $0[0] }) == ["user-7"])
    let skipped = try Command(
      bash: "printf 'user-7\\nnone\\nuser-0\\n' | \"$@\"",
      arguments: [
        "recommend", "--run", trained.run, "--users", "-", "--skip-unknown", "--format", "tsv",
      ])
    #expect(skipped.status == 0)
    #expect(
      skipped.errors.contains("warning: 1 line") && skipped.errors.contains("'none' in line 2"))
    #expect(Set(Self.rows(skipped.output).dropFirst().map { $0[0] }) == ["user-7", "user-0"])
    for options in [[], ["--all", "--user", "user-0"], ["--all", "--json"]] {
      let command = try Command(arguments: ["recommend", "--run", trained.run] + options)
      #expect(command.status == 64, "\(options): \(command.errors)")
    }
    let folder = try trained.recommend("--users", trained.folder.path, status: 65)
    #expect(folder.errors.contains("it is a folder"))
    let missing = try trained.recommend("--users", "\(trained.folder.path)/no", status: 66)
    #expect(missing.errors.contains("/no'"))
  }

  @Test("a reader that closes the pipe ends the command without a message")
  func closedPipe() throws {
    let trained = try Trained()
    let command = try Command(
      bash: "\"$@\" | head -n 1; exit ${PIPESTATUS[0]}",
      arguments: ["recommend", "--run", trained.run, "--all", "--top", "90", "--format", "jsonl"])
    #expect(command.status == 141 && command.output.hasPrefix("{\"epoch\""))
    #expect(!command.errors.contains("mrdib:"), "\(command.errors)")
  }

  @Test("export writes the tables of ids next to the vectors, whose rows they name")
  func export() throws {
    let trained = try Trained()
    let out = trained.folder.path("out")
    let export = try Command("export", "--run", trained.run, "--out", out)
    #expect(export.status == 0, "\(export.errors)")
    #expect(
      Set(export.output.split(separator: "\n").map(String.init))
        == Set(["user.npy", "item.npy", "users.tsv", "items.tsv"].map { "\(out)/\($0)" }))
    for name in ["users.tsv", "items.tsv"] {
      #expect(try trained.folder.bytes("out/\(name)") == trained.folder.bytes("data/\(name)"))
    }
    let dense = try Command(
      "export", "--run", trained.run, "--out", trained.folder.path("dense"), "--ids", "dense")
    #expect(dense.status == 0)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: trained.folder.path("dense")).sorted()
        == ["item.npy", "user.npy"])
    // A table of other data is not taken.
    try trained.folder.write("userID\tid\n0\tonly\n", to: "data/users.tsv")
    let damaged = try Command("export", "--run", trained.run, "--out", out)
    #expect(damaged.status == 65 && damaged.errors.contains("users.tsv': it has 1 rows"))
    // Without the data there are row numbers, and a note.
    try FileManager.default.moveItem(atPath: trained.data, toPath: trained.folder.path("moved"))
    let without = try Command("export", "--run", trained.run, "--out", trained.folder.path("w"))
    #expect(without.status == 0 && without.errors.contains("note: the data of"))
    let seen = try trained.recommend("--user", "5", "--include-seen", "--top", "1")
    #expect(seen.errors.contains("ids are row numbers") && seen.output.hasPrefix("user 5\n"))
  }
}
