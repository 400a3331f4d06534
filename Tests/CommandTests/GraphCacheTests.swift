import Foundation
import TestSupport
import Testing

/// Graphs that are cached on disk between starts.
@Suite struct GraphCacheTests {
  @Test("a cache folder that cannot be created is named once, and the run continues without it")
  func unusableFolder() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let file = "\(folder.path)/file"
    try Data().write(to: URL(fileURLWithPath: file))
    let command = try Command(
      arguments: [
        "train", "--data", data, "--model", "freedom", "--epochs", "1", "--single-process",
        "--quiet", "--run", "\(folder.path)/run",
      ], environment: ["XDG_CACHE_HOME": file])
    #expect(command.status == 0, "\(command.errors)")
    let warnings = command.errors.split(separator: "\n").filter { $0.contains("warning") }
    #expect(warnings.count == 1, "\(command.errors)")
    #expect(warnings.first?.contains("\(file)/mrdib/graphs/") == true)
    #expect(warnings.first?.contains("The next start rebuilds it") == true)
  }
}
