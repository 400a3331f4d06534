import Foundation
import TestSupport
import Testing

/// `mrdib data import` as a user types it.
@Suite struct DataImportTests {
  private static let rows = "name,movie,stars,when\nAnn,Up,5,2014-07-23\nBob,Up,4,2014-07-24\n"

  @Test("an import says what it took, what it made and what comes next")
  func guided() throws {
    let folder = try TemporaryFolder()
    let source = try folder.write(
      Self.rows.replacing("name,movie,stars,when", with: "user,movie,stars,date"), to: "r.csv")
    let command = try Command("data", "import", source, "--out", folder.path("set"))
    #expect(command.status == 0, "\(command.errors)")
    #expect(command.output == "\(folder.path("set")): 2 interactions of 2 users and 1 item\n")
    #expect(command.errors.contains("took 'user' as the user, 'movie' as the item"))
    #expect(
      command.errors.contains(
        "next: mrdib data split \(folder.path("set")) --out \(folder.path("set"))-split"))
    let quiet = try Command(
      "data", "import", source, "--out", folder.path("set"), "--overwrite", "--quiet")
    #expect(quiet.status == 0 && quiet.errors.isEmpty, "\(quiet.errors)")
  }

  @Test("one command makes a folder with features, and the next one can be pasted")
  func features() throws {
    let folder = try TemporaryFolder()
    let source = try folder.write("user,item\nAnn,Up\nBob,Up\nAnn,Jaws\n", to: "r.csv")
    let vectors = try folder.write("id,0,1\nJaws,1,2\nPsycho,3,4\n", to: "v.csv")
    let out = folder.path("my set's data")
    let command = try Command(
      "data", "import", source, "--out", out, "--features", "text=\(vectors)", "--fill", "mean")
    #expect(command.status == 0, "\(command.errors)")
    #expect(command.output.contains("text: 1 of 2 items have it"))
    let word = "'\(folder.path)/my set'\\''s data"
    #expect(
      command.errors.contains("next: mrdib data split \(word)' --out \(word)-split'"),
      "\(command.errors)")
    let files = try FileManager.default.contentsOfDirectory(atPath: out).sorted()
    #expect(files.contains("text_feat.npy") && files.contains("text_mask.npy"))
    let description = try String(contentsOfFile: "\(out)/dataset.yaml", encoding: .utf8)
    #expect(description.contains("- step: import") && description.contains("- step: features"))
    // Features that cannot be used leave no folder.
    let damaged = try folder.write("Jaws,1,2\nUp,x,4\n", to: "w.csv")
    let refused = try Command(
      "data", "import", source, "--out", folder.path("other"), "--features", "text=\(damaged)")
    #expect(refused.status == 65 && refused.errors.contains("w.csv:2: has 'x' as value 1"))
    #expect(try folder.files == ["my set's data", "r.csv", "v.csv", "w.csv"])
    #expect(
      try Command("data", "import", source, "--out", out, "--features", "text").status == 64)
  }

  @Test("a misspelt option is named before what is missing")
  func misspelt() throws {
    for (arguments, hint) in [
      (["features", "shop", "--ad", "text=x.csv"], "'--ad'; did you mean '--add'?"),
      (["subset", "shop", "--out", "x", "--user", "0.1"], "'--user'; did you mean '--users'?"),
      (["split", "shop", "--zzzzzz=3"], "'--zzzzzz'.\nSee 'mrdib data split --help'"),
    ] {
      let command = try Command(arguments: ["data"] + arguments)
      #expect(command.status == 64)
      #expect(command.errors.contains("Unknown option \(hint)"), "\(command.errors)")
    }
    let missing = try Command("data", "features", "shop")
    #expect(missing.status == 64 && missing.errors.contains("--add"), "\(missing.errors)")
  }

  @Test("a folder that is not split has figures, and the way to features is named")
  func unsplitFigures() throws {
    let folder = try TemporaryFolder()
    let source = try folder.write(
      "user,item,date\n" + (0..<60).map { "u\($0 % 6),i\($0 / 6),2014-07-23\n" }.joined(),
      to: "r.csv")
    let set = folder.path("set")
    #expect(try Command("data", "import", source, "--out", set).status == 0)
    let stats = try Command("data", "stats", set)
    #expect(stats.status == 0, "\(stats.errors)")
    #expect(stats.output.contains("not split into training, validation and test yet"))
    #expect(stats.output.contains("users                 6\n"), "\(stats.output)")
    #expect(stats.output.contains("users.tsv, items.tsv") && stats.output.contains("import: "))
    #expect(stats.errors.contains("next: mrdib data split \(set)"))
    let json = try Command("data", "stats", set, "--json")
    #expect(json.output.contains("\"split\" : false"), "\(json.output)")
    let split = try Command("data", "split", set, "--out", folder.path("out"))
    #expect(split.status == 0, "\(split.errors)")
    #expect(split.errors.contains("--model bpr"))
    #expect(split.errors.contains("mrdib data features \(folder.path("out")) --add text=FILE"))
    let train = try Command("train", "--data", folder.path("out"), "--dry-run")
    #expect(train.errors.contains("mrdib data features"), "\(train.errors)")
  }

  @Test("exit codes and messages of what cannot be imported")
  func refused() throws {
    let folder = try TemporaryFolder()
    let source = try folder.write(Self.rows + "Cid,Up\n", to: "r.csv")
    let out = ["--out", folder.path("set")]
    let unnamed = try Command(arguments: ["data", "import", source] + out)
    #expect(unnamed.status == 78 && unnamed.errors.contains("--user-column NAME"))
    let named = ["data", "import", source, "--user-column", "name"] + out
    let damaged = try Command(arguments: named + ["--quiet"])
    #expect(damaged.status == 65)
    #expect(damaged.errors.contains("r.csv:4: has 2 fields, not 4"), "\(damaged.errors)")
    #expect(damaged.errors.contains("--skip-damaged"))
    #expect(try folder.files == ["r.csv"])
    let skipped = try Command(arguments: named + ["--skip-damaged"])
    #expect(skipped.status == 0 && skipped.output.contains("1 damaged line left out"))
    let again = try Command(arguments: named + ["--skip-damaged"])
    #expect(again.status == 78 && again.errors.contains("--overwrite"))
    let missing = try Command(
      arguments: ["data", "import", folder.path("none"), "--overwrite"] + out)
    #expect(missing.status == 66)
    #expect(
      try Command(arguments: ["data", "import", source, "--format", "xml"] + out).status == 64)
  }

  @Test("Ctrl-C stops an import and leaves nothing")
  func interrupted() throws {
    let folder = try TemporaryFolder()
    // A file with much air takes long to read, and no room.
    let source = try folder.write("user,item\n", to: "r.csv")
    let block = [UInt8](repeating: 0x0A, count: 1 << 20)
    let handle = try #require(FileHandle(forWritingAtPath: source))
    handle.seekToEndOfFile()
    for _ in 0..<200 { handle.write(Data(block)) }
    try handle.close()
    let running = try RunningCommand(
      folder, ["data", "import", source, "--out", folder.path("set")])
    try Wait.until("the folder is begun") {
      try folder.files.contains { $0.hasPrefix(".set.partial") } || !running.isRunning
    }
    running.interrupt()
    #expect(try running.wait() == 130, "\(running.errors)")
    #expect(try !folder.files.contains { $0.contains("set") })
    #expect(running.errors.contains("Stopped by a signal; nothing was written"))
  }
}
