import Foundation
import TestSupport
import Testing

@Suite struct DecomposeTests {
  @Test("a run is decomposed after and before training, and so are the features of its data")
  func stages() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let run = folder.path("run")
    let train = try Command(
      "train", "--data", data, "--run", run, "--single-process", "--epochs", "1", "--quiet")
    #expect(train.status == 0, "\(train.errors)")
    var reports: [[String: Any]] = []
    for options in [[run], [run, "--before"], ["--features", "--data", data]] {
      let command = try Command(arguments: ["decompose", "--json", "--quiet"] + options)
      #expect(command.status == 0, "\(command.errors)")
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(command.output.utf8)) as? [String: Any])
      #expect((object["modalities"] as? [[String: Any]])?.count == 2)
      let pair = try #require((object["pairs"] as? [[String: Any]])?.first)
      #expect(pair["first"] as? String == "visual" && pair["second"] as? String == "text")
      func value(_ name: String) throws -> Double {
        try #require((pair[name] as? [String: Any])?["value"] as? Double, "\(name)")
      }
      let parts = try ["redundant", "unique_first", "unique_second", "synergistic"].map(value)
      #expect(abs(parts.reduce(0, +) - (try value("together"))) < 1e-9)
      reports.append(object)
    }
    #expect(reports.map { $0["codes"] as? String } == ["trained", "initial", "features"])
    #expect(reports[0]["epoch"] as? Int == 0 && reports[1]["epoch"] == nil)

    let again = try Command("decompose", run, "--json", "--quiet")
    let table = try Command("decompose", run, "--quiet")
    #expect(table.output.contains("both repeat it"), "\(table.errors)")
    let object = try JSONSerialization.jsonObject(with: Data(again.output.utf8))
    #expect(NSDictionary(dictionary: reports[0]).isEqual(object))
  }

  @Test("what cannot be decomposed is refused with the reason")
  func refused() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let run = folder.path("run")
    let train = try Command(
      "train", "--data", data, "--run", run, "--single-process", "--epochs", "1", "--quiet",
      "--model", "bpr", "--objective", "plain")
    #expect(train.status == 0, "\(train.errors)")
    for (arguments, status, text) in [
      ([run], Int32(64), "uses no modality"),
      ([folder.path("none")], 66, "no such"),
      (["--features"], 64, "Name a run"),
      ([run, "--before", "--features"], 64, "exclude each other"),
    ] {
      let command = try Command(arguments: ["decompose"] + arguments)
      #expect(command.status == status, "\(arguments): \(command.errors)")
      #expect(command.errors.contains(text), "\(arguments): \(command.errors)")
    }
  }
}
