import Foundation
import TestSupport
import Testing

/// Unusual paths and folders, and folders named in the environment.
@Suite struct PlaceTests {
  /// Several epochs, so that a checkpoint is committed before the run ends: the one of the last
  /// epoch may still be on its way then.
  private static let settings = ["--epochs", "4", "--quiet", "--set", "train_batch_size=512"]

  @Test(
    "folders of runs, data, keys, checkpoints and exports may have any name",
    arguments: [
      "a b  c ", "it's", "say \"x\"", "new\nline", "re\rturn", "100%41", "a#b", "a?mode=ro", "a\\b",
      "$HOME", "a: b", "*x [1]", "file:x?y", "-dash", "grün-日本", "tab\t\u{1B}[31m",
      "nel\u{85}\u{2028}", String(repeating: "n", count: 255),
    ])
  func names(_ name: String) throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    // All under one kind of name, and relative to the working directory.
    for part in ["data", "run", "keys", "checkpoints", "out"] {
      try FileManager.default.createDirectory(
        atPath: folder.path("p-\(part)"), withIntermediateDirectories: true)
    }
    let ownData = "p-data/\(name)"
    try FileManager.default.moveItem(atPath: data, toPath: folder.path(ownData))
    func run(_ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation) throws {
      let command = try Command(
        bash: "cd \"$PLACE\" && exec \"$@\"", arguments: arguments,
        environment: ["PLACE": folder.path])
      #expect(
        command.status == 0, "\(arguments): \(command.errors)", sourceLocation: sourceLocation)
    }
    try run(["data", "validate", ownData])
    try run(["keys", "new", "p-keys/\(name)"])
    let quoted = folder.path("p-checkpoints/\(name)").replacingOccurrences(of: "'", with: "''")
    let isPlain =
      name.utf8.allSatisfy { $0 >= 0x20 } && !name.contains("\u{85}") && name != "*x [1]"
    let train =
      ["train", "--data", ownData, "--run", "p-run/\(name)", "--keys", "p-keys/\(name)"]
      + (isPlain ? ["--set", "checkpoint_folder='\(quoted)'"] : []) + Self.settings
    try run(train)
    // Resumes the run, which has nothing left to train.
    try run(train)
    try run(["checkpoint", "verify", "p-run/\(name)"])
    try run(["recommend", "--run", "p-run/\(name)", "--user", "1"])
    try run(["export", "--run", "p-run/\(name)", "--out", "p-out/\(name)"])
    for part in ["run", "keys", "out"] + (isPlain ? ["checkpoints"] : []) {
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.path("p-\(part)")) == [name])
    }
    // A name that begins with a dash, or with `file:`, and stands alone.
    if name.hasPrefix("-") || name.hasPrefix("file:") {
      try run(
        ["train", "--data", ownData, "--run=\(name)", "--keys", "p-keys/\(name)"] + Self.settings)
      #expect(FileManager.default.fileExists(atPath: folder.path("\(name)/run.sqlite")))
    }
  }

  @Test("a path that is not UTF-8 is refused before anything is written")
  func otherBytes() throws {
    let folder = try TemporaryFolder()
    for use in ["train --run", "train --data", "keys new", "export --run r --out"] {
      let command = try Command(
        bash: "cd \"$PLACE\" && exec \"$1\" \(use) $'bad\\xff'", arguments: [],
        environment: ["PLACE": folder.path])
      #expect(command.status == 64, "\(use): \(command.errors)")
      #expect(command.errors.contains("is not UTF-8"), "\(use): \(command.errors)")
    }
    #expect(try folder.files.isEmpty)
  }

  @Test("a line break in a setting, which YAML would read as a blank, is refused or quoted")
  func lineBreaks() throws {
    let folder = try TemporaryFolder()
    let train =
      ["train", "--data", try folder.generateData(), "--run", folder.path("run")]
      + ["--single-process"] + Self.settings
    let refused = try Command(
      arguments: train + ["--set", "checkpoint_folder=\(folder.path("a\nb"))"])
    #expect(refused.status == 78, "\(refused.errors)")
    #expect(refused.errors.contains("has a line break"), "\(refused.errors)")
    #expect(try folder.files == ["data"])
    let escaped = try Command(
      arguments: train + ["--set", "checkpoint_folder=\"\(folder.path("a\\nb"))\""])
    #expect(escaped.status == 0, "\(escaped.errors)")
    #expect(FileManager.default.fileExists(atPath: folder.path("a\nb")))
  }

  @Test("'..' after a symbolic link is resolved by the system, not by the text of the path")
  func links() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    try FileManager.default.createDirectory(
      atPath: folder.path("deep/er/est"), withIntermediateDirectories: true)
    try FileManager.default.moveItem(atPath: data, toPath: folder.path("deep/er/data"))
    try #require(symlink(folder.path("deep/er/est"), folder.path("link")) == 0)
    let command = try Command(
      arguments: [
        "train", "--data", folder.path("link/../data"), "--run", folder.path("link/../run"),
      ]
        + Self.settings)
    #expect(command.status == 0, "\(command.errors)")
    #expect(FileManager.default.fileExists(atPath: folder.path("deep/er/run/checkpoints")))
  }

  @Test(
    "folders whose paths are too long for the files in them are refused before anything is written")
  func tooLong() throws {
    let folder = try TemporaryFolder()
    let run = ["train", "--data", try folder.generateData(), "--run", folder.path("run")]
    #expect(try Command(arguments: run + ["--single-process"] + Self.settings).status == 0)
    var long = folder.path("long")
    while long.utf8.count < 4050 {
      long += "/" + String(repeating: "d", count: min(200, 4055 - long.utf8.count))
    }
    for arguments in [
      ["keys", "new", long], ["export", "--run", folder.path("run"), "--out", long],
      ["checkpoint", "export", folder.path("run"), "--out", long],
      run.dropLast() + [folder.path("other"), "--set", "checkpoint_folder=\(long)"],
    ] {
      let command = try Command(arguments: arguments)
      #expect(command.status == 73, "\(arguments[0]): \(command.errors)")
      #expect(command.errors.contains("File name too long"), "\(command.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path("long")))
  }

  @Test("sockets are in TMPDIR, or elsewhere if it is too long, missing or not a path")
  func temporaryFolder() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let short = "/tmp/m-\(UUID().uuidString.prefix(8)) x"
    let long = folder.path(String(repeating: "t", count: 120))
    defer { try? FileManager.default.removeItem(atPath: short) }
    for path in [short, long] {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    for (number, place) in [short, long, "/nowhere", "here", "", "/proc"].enumerated() {
      let running = try RunningCommand(
        folder,
        ["train", "--data", data, "--run", folder.path("run-\(number)")] + Self.settings
          + ["--epochs", "1000", "--set", "stopping_step=1000"],
        environment: ["TMPDIR": place, "XDG_RUNTIME_DIR": ""])
      let metrics = folder.path("run-\(number)/metrics.jsonl")
      try Wait.until("it trains") {
        FileManager.default.contents(atPath: metrics)?.isEmpty == false || !running.isRunning
      }
      let found = try FileManager.default.contentsOfDirectory(atPath: short)
      #expect(found.contains { $0.hasPrefix("mrdib-") } == (place == short), "\(place): \(found)")
      running.interrupt()
      #expect(try running.wait() == 130, "\(place): \(running.errors)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: short).isEmpty)
    }
  }

  @Test(
    "the cache is in the home directory, and an unusable home directory does not stop a run")
  func home() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let home = folder.path("home")
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    let train =
      ["train", "--data", data, "--model", "freedom", "--single-process"] + Self.settings
    for (number, place) in [home, "/proc", "relative"].enumerated() {
      let command = try Command(
        bash: "cd \"$HERE\" && exec \"$@\"",
        arguments: train + ["--run", folder.path("run-\(number)")],
        environment: [
          "HOME": place, "XDG_CACHE_HOME": place == "relative" ? folder.path("cache") : "",
          "HERE": folder.path,
        ])
      #expect(command.status == 0, "\(place): \(command.errors)")
    }
    #expect(FileManager.default.fileExists(atPath: "\(home)/.cache/mrdib/graphs"))
    #expect(FileManager.default.fileExists(atPath: folder.path("cache/mrdib/graphs")))
    #expect(!FileManager.default.fileExists(atPath: folder.path("relative")))
    let standard = try Command(
      arguments: ["train", "--run", folder.path("standard"), "--single-process"],
      environment: ["HOME": "/proc", "XDG_CACHE_HOME": ""])
    #expect(standard.status == 73, "\(standard.errors)")
    #expect(standard.errors.contains("/proc/.cache/mrdib"), "\(standard.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.path("standard")))
  }
}
