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
        {"epoch": 12, "files": [{"bytes": 900, "digest": "00ff", "name": "user.npy"},
        {"bytes": 0, "digest": "", "name": "item.npy"},
        {"bytes": 1, "digest": "a", "name": "parameters.safetensors"}],
        "folder": "models/epoch-0012", "format_version": 3, "version": 347}
        """,
        """
        {
          "version" : 0,
          "folder" : "models/epoch-0000-again",
          "format_version" : 3,
          "files" : [
            { "name" : "parameters.safetensors", "bytes" : 8, "digest" : "xxh128:01" },
            { "name" : "user.npy", "bytes" : 8, "digest" : "xxh128:01" },
            { "name" : "item.npy", "bytes" : 8, "digest" : "xxh128:01" }
          ],
          "epoch" : 0
        }
        """,
        """
        {"epoch": 12, "folder": "models/epoch-0012", "format_version": 2, "version": 347}
        """,
      ],
      words: [
        "null", "-1", "1e999", "4294967296", "18446744073709551616", "[]", "{", "}", ",", ":",
        "\"folder\"", "\"..\"", "\"\\u0000\"", "\u{1B}[2J", "1", "3", "\"item.npy\"",
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
