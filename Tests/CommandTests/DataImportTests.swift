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
    #expect(running.errors.contains("the import was stopped; nothing was written"))
  }
}
