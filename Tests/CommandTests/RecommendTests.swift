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
    #expect((0.333...1).contains(Double(row[6]) ?? 0) && row[6].count == 5)

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

  @Test("--out has the bytes of stdout, on any number of threads")
  func file() throws {
    let trained = try Trained()
    let out = trained.folder.path("top")
    for format in ["table", "tsv", "jsonl"] {
      let printed = try trained.recommend("--all", "--top", "5", "--format", format).output
      for threads in ["1", "3"] {
        let written = try trained.recommend(
          "--all", "--top", "5", "--format", format, "--out", out, "--threads", threads)
        #expect(written.output.isEmpty && written.errors.isEmpty, "\(written.errors)")
        let isSame = try trained.folder.text("top") == printed
        #expect(isSame, "\(format) on \(threads) threads")
      }
    }
    #expect(
      try trained.recommend("--all", "--out", "/dev/null", status: 73).errors.contains("plain"))
    let missing = try trained.recommend("--all", "--out", out + "/no/top", status: 73)
    #expect(missing.errors.contains("/no/top"))
    let threads = try trained.recommend("--all", "--threads", "0", status: 64)
    #expect(threads.errors.contains("--threads is 0"))
  }

  @Test("a stop leaves no part of a file, and keeps the one that was there")
  func stoppedFile() throws {
    let trained = try Trained()
    try FileManager.default.createDirectory(
      atPath: trained.folder.path("results"), withIntermediateDirectories: true)
    let out = try trained.folder.write("before", to: "results/top.tsv")
    let list = trained.folder.path("ids")
    #expect(mkfifo(list, 0o600) == 0)
    // Both ends of the pipe are open, so that its reader waits for ever.
    let running = try RunningCommand(
      trained.folder, bash: "exec \"$@\" 0<>'\(list)'",
      ["recommend", "--run", trained.run, "--users", "-", "--out", out])
    func files() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: trained.folder.path("results")).sorted()
    }
    try Wait.until("it has begun") { try files().count == 2 || !running.isRunning }
    running.interrupt()
    #expect(try running.wait() == 130, "\(running.errors)")
    #expect(running.errors.contains("nothing was written"))
    #expect(try files() == ["top.tsv"])
    #expect(try trained.folder.text("results/top.tsv") == "before")
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
    // All ids of a file are looked up before anything is printed; a pipe is answered as it comes.
    #expect(stopped.output.isEmpty)
    let piped = try Command(
      bash: "printf 'user-7\\nnone\\nuser-0\\n' | \"$@\"",
      arguments: ["recommend", "--run", trained.run, "--users", "-", "--format", "tsv"])
    #expect(piped.status == 64)
    #expect(Set(Self.rows(piped.output).dropFirst().map { $0[0] }) == ["user-7"])
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

  @Test("--exclude-all leaves out validation and test, --include-seen leaves out nothing")
  func excluded() throws {
    let trained = try Trained()
    var own: [Int: Set<String>] = [:]
    let names = try FileManager.default.contentsOfDirectory(atPath: trained.data)
    let file = try #require(names.first { $0.hasSuffix(".inter") })
    for line in try trained.folder.text("data/\(file)").split(separator: "\n").dropFirst() {
      let fields = line.split(separator: "\t")
      if fields[0] == "5" { own[Int(fields[4]) ?? -1, default: []].insert(String(fields[1])) }
    }
    func items(_ options: String...) throws -> Set<String> {
      let arguments = ["recommend", "--run", trained.run, "--user", "5", "--ids", "dense"]
      let tsv = try Command(arguments: arguments + ["--top", "90", "--format", "tsv"] + options)
      #expect(tsv.status == 0, "\(tsv.errors)")
      return Set(Self.rows(tsv.output).dropFirst().map { $0[2] })
    }
    let (train, test) = (own[0] ?? [], (own[1] ?? []).union(own[2] ?? []))
    #expect(!train.isEmpty && !test.isEmpty)
    let all = Set((0..<90).map(String.init))
    #expect(try items() == all.subtracting(train))
    #expect(try items("--exclude-all") == all.subtracting(train).subtracting(test))
    #expect(try items("--include-seen") == all)
    let both = try trained.recommend(
      "--user", "user-0", "--include-seen", "--exclude-all", status: 64)
    #expect(both.errors.contains("exclude each other"))
  }

  @Test("tables whose ids changed since training are refused; corrected titles are not")
  func changedIdentifiers() throws {
    let trained = try Trained()
    let titles = (0..<90).map { "\($0)\tB\($0)X\tBetter \($0)\n" }.joined()
    try trained.folder.write("itemID\tid\ttitle\n" + titles, to: "data/items.tsv")
    #expect(try trained.recommend("--user", "user-0").output.contains("Better"))
    let reversed = (0..<90).map { "\($0)\tB\(89 - $0)X\tThing \(89 - $0)\n" }.joined()
    try trained.folder.write("itemID\tid\ttitle\n" + reversed, to: "data/items.tsv")
    let refused = try trained.recommend("--user", "user-0", status: 65)
    #expect(refused.output.isEmpty && refused.errors.contains("items.tsv': they have changed"))
    let out = trained.folder.path("out")
    let export = try Command("export", "--run", trained.run, "--out", out)
    #expect(export.status == 65 && !FileManager.default.fileExists(atPath: out))
    #expect(try trained.recommend("--user", "0", "--ids", "dense").output.hasPrefix("user 0"))
    // A run of a release that recorded no digests.
    let best = try trained.folder.object("run/best.json").filter { $0.key != "identifiers" }
    try JSONSerialization.data(withJSONObject: best)
      .write(to: URL(fileURLWithPath: trained.folder.path("run/best.json")))
    #expect(try trained.recommend("--user", "user-0").output.contains("Thing"))
  }

  @Test("other data, a sweep and a missing folder are named as what they are")
  func otherFolders() throws {
    let trained = try Trained()
    let other = try TemporaryFolder()
    let data = other.path("data")
    #expect(
      try Command(
        "data", "generate", "--out", data, "--users", "160", "--items", "80",
        "--interactions", "12"
      ).status == 0)
    for (options, hint) in [
      ([], "or use --include-seen"), (["--include-seen"], "or leave --data out"),
    ] {
      let wrong = try Command(
        arguments: ["recommend", "--run", trained.run, "--data", data, "--user", "user-0"] + options
      )
      #expect(wrong.status == 65 && wrong.errors.contains("is not what"), "\(wrong.errors)")
      #expect(wrong.errors.contains(hint), "\(wrong.errors)")
      #expect(options.isEmpty || !wrong.errors.contains("--include-seen"), "\(wrong.errors)")
    }
    let missing = try Command("recommend", "--run", other.path("none"), "--user", "0")
    #expect(missing.status == 66 && missing.errors.contains("there is no such folder"))
    // Nothing is written into a data set.
    let names = try FileManager.default.contentsOfDirectory(atPath: data)
    let export = try Command("export", "--run", trained.run, "--out", data)
    #expect(export.status == 73 && export.errors.contains("it holds a data set"))
    for command in ["train", "sweep"] {
      let grid = ["--set", "hyper_parameters=[seed]", "--set", "seed=[1, 2]"]
      let mixed = try Command(
        arguments: [command, "--data", data, "--run", data, "--epochs", "1"]
          + (command == "sweep" ? grid : []))
      #expect(mixed.status == 73 && mixed.errors.contains("it holds a data set"), "\(mixed.errors)")
    }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: data).sorted() == names.sorted())
  }

  @Test("a sweep ends with its best run; its folder is no place for another run, and no run")
  func sweep() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let path = folder.path("sweep")
    let common = ["--data", data, "--model", "bpr", "--objective", "plain", "--epochs", "1"]
    let none = try Command(arguments: ["sweep", "--dry-run"] + common)
    #expect(none.status == 64 && none.errors.contains("no grid: no hyper_parameters"))
    let grid = ["--set", "hyper_parameters=[seed]", "--set", "seed=[1, 2]", "--run", path]
    let sweep = try Command(arguments: ["sweep"] + common + grid)
    #expect(sweep.status == 0, "\(sweep.errors)")
    #expect(sweep.errors.contains("by validation, is in \(path)/runs/"), "\(sweep.errors)")
    let train = try Command(arguments: ["train", "--run", path] + common)
    #expect(train.status == 73 && train.errors.contains("it is the folder of a sweep"))
    #expect(!FileManager.default.fileExists(atPath: "\(path)/config.resolved.yaml"))
    let recommend = try Command("recommend", "--run", path, "--user", "0")
    #expect(recommend.status == 66 && recommend.errors.contains("it is the folder of a sweep"))
    let one = try Command(arguments: ["sweep", "--seed", "7", "--dry-run"] + common + grid)
    #expect(one.status == 0 && one.errors.contains("--seed 7: the only value of seed replaces"))
    #expect(try Command(arguments: ["sweep"] + common + grid).status == 0)
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
        == Set(
          ["user.npy", "item.npy", "users.tsv", "items.tsv", "export.json"].map { "\(out)/\($0)" }))
    for name in ["users.tsv", "items.tsv"] {
      #expect(try trained.folder.bytes("out/\(name)") == trained.folder.bytes("data/\(name)"))
    }
    let dense = try Command(
      "export", "--run", trained.run, "--out", trained.folder.path("dense"), "--ids", "dense")
    #expect(dense.status == 0)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: trained.folder.path("dense")).sorted()
        == ["export.json", "item.npy", "user.npy"])
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
