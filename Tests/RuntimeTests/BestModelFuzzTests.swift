import Datasets
import Foundation
import Runtime
import TestSupport
import Testing

@Suite("Damaged records of the best model")
struct BestModelFuzzTests {
  @Test("best.json")
  func records() throws {
    let folder = try MemoryFolder(name: "run")
    let file = try MemoryFile("best.json", in: folder)
    let inputs = InputMutator(
      texts: [
        """
        {"epoch": 12, "folder": "models/epoch-0012", "format_version": 1, "version": 347}
        """,
        """
        {
          "version" : 0,
          "folder" : "",
          "format_version" : 1,
          "epoch" : 0
        }
        """,
      ],
      words: [
        "null", "-1", "1e999", "4294967296", "18446744073709551616", "[]", "{", "}", ",", ":",
        "\"folder\"", "\"..\"", "\"\\u0000\"", "\u{1B}[2J", "2",
      ])
    try FuzzRun.run(
      .file("best.json", inputs: inputs, rounds: 20_000) { bytes in
        try file.write(bytes)
        do {
          let model = try BestModel.read(run: folder.path)
          let again = try JSONDecoder().decode(
            BestModel.self, from: JSONEncoder().encode(model))
          guard again == model else { throw FuzzFailure("\(model) became \(again)") }
          return .accepted
        } catch let error as RuntimeError {
          return .refused(error.message)
        }
      })
  }
}
