import Foundation
import TestSupport
import Testing

/// `mrdib data generate` as a user types it.
@Suite struct DataGenerateTests {
  private static let options = [
    "--users", "3000", "--items", "1500", "--interactions", "10", "--visual-dimensions", "40",
    "--text-dimensions", "30", "--half-features",
  ]

  @Test("the same command continues a generation that was killed, and makes the same bytes")
  func continues() throws {
    let folder = try TemporaryFolder()
    let whole = try Command(
      arguments: ["data", "generate", "--out", folder.path("whole")] + Self.options)
    #expect(whole.status == 0, "\(whole.errors)")
    let out = folder.path("killed")
    let arguments = ["data", "generate", "--out", out] + Self.options
    let running = try RunningCommand(folder, arguments)
    try Wait.until("choices are drawn") {
      FileManager.default.fileExists(atPath: "\(out)/.draft/choices") || !running.isRunning
    }
    kill(running.processID, SIGKILL)
    _ = try running.wait()
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path("whole")).sorted()
    let again = try Command(arguments: arguments)
    #expect(again.status == 0 && again.output == "\(out)\n", "\(again.errors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: out).sorted() == files)
    for file in files {
      #expect(try folder.bytes("killed/\(file)") == folder.bytes("whole/\(file)"), "\(file)")
    }
    let visual = try folder.bytes("whole/image_feat.npy")
    #expect(visual.count == 128 + 1500 * 40 * 2 && visual.range(of: Data("<f2".utf8)) != nil)
    let both = try Command(arguments: arguments + ["--noise-dimensions", "3"])
    #expect(both.status == 64 && both.errors.contains("--visual-dimensions"), "\(both.errors)")
    let few = try Command(arguments: arguments + ["--text-dimensions", "8"])
    #expect(few.status != 0, "\(few.output)")
  }
}
