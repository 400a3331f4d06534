import Foundation
import TestSupport
import Testing

/// `recommend --new-items` as a user runs it.
@Suite struct NewItemsTests {
  private let folder: TemporaryFolder
  private let data: String

  init() throws {
    folder = try TemporaryFolder()
    data = try folder.generateData()
  }

  private func train(_ model: String) throws -> String {
    let run = folder.path("run-\(model)")
    let command = try Command(
      "train", "--data", data, "--model", model, "--objective", "plain", "--epochs", "1",
      "--single-process", "--quiet", "--run", run)
    #expect(command.status == 0, "\(command.errors)")
    return run
  }

  /// A folder with the features of other generated items.
  private func arrivals(items: Int) throws -> String {
    let path = folder.path("arrivals\(items)")
    let command = try Command(
      "data", "generate", "--out", path, "--users", "150", "--items", "\(items)",
      "--interactions", "12", "--seed", "5")
    #expect(command.status == 0, "\(command.errors)")
    return path
  }

  @Test(
    "models that can rank new items do, each once for every user",
    arguments: ["vbpr", "freedom", "itemknn_content"])
  func ranked(model: String) throws {
    let run = try train(model)
    let new = try arrivals(items: 40)
    try folder.write(
      "itemID\tid\n" + (0..<40).map { "\($0)\tnew-\($0)\n" }.joined(), to: "arrivals40/items.tsv")
    let command = try Command(
      "recommend", "--run", run, "--user", "3", "--json", "--top", "50", "--new-items", new)
    #expect(command.status == 0, "\(command.errors)")
    let answer = try #require(
      try JSONSerialization.jsonObject(with: Data(command.output.utf8)) as? [String: Any])
    let items = try #require(answer["items"] as? [[String: Any]])
    #expect(Set(items.compactMap { $0["item"] as? Int }) == Set(0..<40) && items.count == 40)
    let scores = items.compactMap { $0["score"] as? Double }
    #expect(scores == scores.sorted(by: >) && Set(scores).count > 1)
    #expect(command.output.contains("\"new-7\""), "\(command.output)")
  }

  /// The scores of new items for a user, by item.
  private func scores(_ run: String, _ new: String) throws -> (scores: [Int: Double], note: String)
  {
    let command = try Command(
      "recommend", "--run", run, "--user", "3", "--json", "--top", "50", "--new-items", new)
    #expect(command.status == 0, "\(command.errors)")
    let answer = try #require(
      try JSONSerialization.jsonObject(with: Data(command.output.utf8)) as? [String: Any])
    let items = try #require(answer["items"] as? [[String: Any]])
    let pairs = items.compactMap { item in
      (item["item"] as? Int).flatMap { id in (item["score"] as? Double).map { (id, $0) } }
    }
    return (Dictionary(uniqueKeysWithValues: pairs), command.errors)
  }

  @Test("a new item may lack a modality: by a mask, by NaN, or because there is no file of it")
  func missing() throws {
    let run = folder.path("run")
    let train = try Command(
      "train", "--data", data, "--model", "vbpr", "--objective", "mrdib", "--epochs", "1",
      "--single-process", "--quiet", "--run", run, "--set", "missing=prior", "--set",
      "nan_rows=missing", "--set", "missing_rate=0.1")
    #expect(train.status == 0, "\(train.errors)")
    let new = try arrivals(items: 40)
    let whole = try scores(run, new)
    #expect(!whole.note.contains("no new item"), "\(whole.note)")
    try folder.writeNaN(rows: [2], of: 40, in: "\(new)/text_feat.npy")
    let nan = try scores(run, new).scores
    try folder.writeMask((0..<40).map { $0 != 5 }, to: "\(new)/text_mask.npy")
    let masked = try scores(run, new).scores
    try FileManager.default.removeItem(atPath: "\(new)/text_feat.npy")
    let none = try scores(run, new)
    #expect(
      none.note.contains("no new item has 'text'") && none.note.contains("text_feat.npy"),
      "\(none.note)")
    for item in 0..<40 {
      #expect((nan[item] == whole.scores[item]) == (item != 2), "item \(item)")
      #expect((masked[item] == nan[item]) == (item != 5), "item \(item)")
      // Without a text all items are as the two that had none before.
      #expect((none.scores[item] == masked[item]) == [2, 5].contains(item), "item \(item)")
    }
    let short = try Command(
      "recommend", "--run", run, "--user", "3", "--new-items", folder.path("nowhere"))
    #expect(short.status == 66, "\(short.errors)")
    try FileManager.default.removeItem(atPath: "\(new)/text_mask.npy")
    try FileManager.default.removeItem(atPath: "\(new)/image_feat.npy")
    let empty = try Command("recommend", "--run", run, "--user", "3", "--new-items", new)
    #expect(empty.status == 66, "\(empty.errors)")
    #expect(
      empty.errors.contains("holds no features of new items: looked for image_feat.npy"),
      "\(empty.errors)")
  }

  @Test("a model that cannot says so, and names those that can", arguments: ["pop", "bpr"])
  func impossible(model: String) throws {
    let command = try Command(
      "recommend", "--run", train(model), "--user", "3", "--new-items", data)
    #expect(command.status == 78 && command.output.isEmpty, "\(command.errors)")
    #expect(command.errors.contains("only for the items that it was trained with"))
    #expect(command.errors.contains("vbpr"))
  }

  @Test("folders that do not hold the same number of rows, or none, are named")
  func badFolders() throws {
    let run = try train("vbpr")
    let (new, other) = (try arrivals(items: 40), try arrivals(items: 37))
    func ask(_ path: String, _ options: String...) throws -> Command {
      try Command(
        arguments: ["recommend", "--run", run, "--user", "3", "--new-items", path] + options)
    }
    let missing = try ask(folder.path("nowhere"))
    #expect(missing.status == 66 && missing.errors.contains("nowhere"), "\(missing.errors)")
    let usage = try ask(new, "--include-seen")
    #expect(usage.status == 64 && usage.errors.contains("--new-items"), "\(usage.errors)")
    // Ids for more items than have features.
    try folder.write(
      "itemID\tid\n" + (0..<41).map { "\($0)\tnew-\($0)\n" }.joined(), to: "arrivals40/items.tsv")
    let ids = try ask(new)
    #expect(ids.status == 65 && ids.errors.contains("has 41"), "\(ids.errors)")
    try FileManager.default.removeItem(atPath: "\(new)/items.tsv")
    let file = try #require(
      try FileManager.default.contentsOfDirectory(atPath: new).first { $0.hasSuffix("_feat.npy") })
    try FileManager.default.removeItem(atPath: "\(new)/\(file)")
    try FileManager.default.copyItem(atPath: "\(other)/\(file)", toPath: "\(new)/\(file)")
    let fewer = try ask(new)
    #expect(fewer.status == 65 && fewer.errors.contains("has 37"), "\(fewer.errors)")
    let user = try Command(
      "recommend", "--run", run, "--user", "unknown", "--new-items", other)
    #expect(user.status != 0 && user.errors.contains("unknown"), "\(user.errors)")
  }
}
