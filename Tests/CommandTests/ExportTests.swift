import Foundation
import TestSupport
import Testing

/// What `export` and `data export` write, and what a run's directory has for other programs.
@Suite struct ExportTests {
  /// A run of VBPR with all its checkpoints, on data with original ids.
  private struct Trained {
    let folder: TemporaryFolder
    let data: String
    var run: String { folder.path("run") }

    /// - Parameter settings: next to the usual ones.
    init(epochs: Int = 6, _ settings: String...) throws {
      folder = try TemporaryFolder()
      data = try folder.generateData()
      let users = (0..<150).map { "\($0)\tuser-\($0 * 7)\n" }.joined()
      let items = (0..<90).map { "\($0)\tB,\($0)\tThing \"\($0)\"\n" }.joined()
      try folder.write("userID\tid\n" + users, to: "data/users.tsv")
      try folder.write("itemID\tid\ttitle\n" + items, to: "data/items.tsv")
      let train = try Command(
        arguments: [
          "train", "--data", data, "--run", run, "--single-process", "--epochs",
          "\(epochs)", "--quiet",
        ]
          + (["checkpoint_keep=100", "train_batch_size=64", "learning_rate=0.01"] + settings)
          .flatMap { ["--set", $0] })
      #expect(train.status == 0, "\(train.errors)")
    }

    @discardableResult
    func export(_ name: String, _ options: String..., status: Int32 = 0) throws -> Command {
      let command = try Command(
        arguments: ["export", "--run", run, "--out", folder.path(name)] + options)
      #expect(command.status == status, "\(options): \(command.errors)")
      return command
    }

    /// The rows of an npy file.
    func matrix(_ name: String) throws -> [[UInt32]] {
      let bytes = try folder.read(name)
      let start = 10 + Int(bytes[8]) + Int(bytes[9]) << 8
      let header = String(decoding: bytes[10..<start], as: UTF8.self)
      let shape = try #require(header.firstMatch(of: /\((\d+), (\d+)\)/))
      let columns = try #require(Int(shape.2))
      let numbers = bytes[start...].withUnsafeBytes { Array($0.bindMemory(to: UInt32.self)) }
      return try (0..<#require(Int(shape.1))).map {
        Array(numbers[$0 * columns..<($0 + 1) * columns])
      }
    }

    /// The versions of the checkpoints, ascending.
    func versions() throws -> [UInt64] {
      let files = FileManager.default
      return try files.contentsOfDirectory(atPath: "\(run)/checkpoints").sorted().filter {
        // That of the last epoch may not be complete when the run ends.
        files.fileExists(atPath: "\(run)/checkpoints/\($0)/manifest.json")
      }.compactMap { UInt64($0.dropFirst().prefix { $0 != "-" }) }
    }
  }

  private static func fields(_ line: Substring) -> [String] {
    line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
  }

  @Test(
    "every format has the vectors of the best model, and the folder is replaced only on request")
  func formats() throws {
    let trained = try Trained()
    try trained.export("npy")
    let items = try trained.matrix("npy/item.npy")
    try trained.export("faiss", "--format", "faiss")
    let index = try trained.folder.read("faiss/item.faiss")
    let npy = try trained.folder.read("npy/item.npy")
    #expect(index.dropFirst(45).elementsEqual(npy.suffix(index.count - 45)))
    try trained.export("csv", "--format", "csv")
    let lines = try trained.folder.text("csv/item.csv").split(separator: "\n")
    #expect(lines.count == 91 && lines[0] == "row,id,vector" && lines[8].hasPrefix("7,\"B,7\",\"["))
    let written = try lines.dropFirst().map { line in
      let list = try #require(line.split(separator: Character("[")).last).dropLast(2)
      return try list.split(separator: ",").map { try #require(Float($0)).bitPattern }
    }
    #expect(written == items)
    try trained.export("onnx", "--format", "onnx")
    #expect(try trained.folder.read("onnx/item.npy") == npy)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: trained.folder.path("onnx")).sorted() == [
        "export.json", "item.npy", "items.tsv", "model.onnx", "user.npy", "users.tsv",
      ])
    let refused = try trained.export("npy", status: 78)
    #expect(refused.errors.contains("--overwrite"))
    try trained.export("npy", "--overwrite", "--format", "faiss")
    #expect(!FileManager.default.fileExists(atPath: trained.folder.path("npy/item.npy")))
    // Other files are not lost.
    try trained.folder.write("mine", to: "npy/notes.txt")
    let foreign = try trained.export("npy", "--overwrite", status: 78)
    #expect(foreign.errors.contains("notes.txt"))
    let record = try trained.folder.object("npy/export.json")
    #expect(record["format"] as? String == "faiss" && record["source"] as? String == "best")
  }

  @Test("lists and truth in TREC's format are those that the run's metrics were computed from")
  func trec() throws {
    let trained = try Trained()
    let spaced = try trained.export("trec", "--format", "trec", "--top", "20", "--ids", "dense")
    #expect(spaced.output.contains("run.trec"))
    var truth: [String: Set<String>] = [:]
    for line in try trained.folder.text("trec/test.qrels").split(separator: "\n") {
      let fields = line.split(separator: " ").map(String.init)
      #expect(fields.count == 4 && fields[1] == "0" && fields[3] == "1")
      truth[fields[0], default: []].insert(fields[2])
    }
    var hits: [String: Double] = [:]
    for line in try trained.folder.text("trec/run.trec").split(separator: "\n") {
      let fields = line.split(separator: " ").map(String.init)
      #expect(fields.count == 6 && fields[1] == "Q0" && fields[5] == "mrdib")
      if truth[fields[0]]?.contains(fields[2]) == true { hits[fields[0], default: 0] += 1 }
    }
    let recall = truth.map { hits[$0.key, default: 0] / Double($0.value.count) }.reduce(0, +)
    let summary = try trained.folder.object("run/summary.json")
    let recorded = try #require((summary["test"] as? [String: Double])?["recall@20"])
    #expect(abs(recall / Double(truth.count) - recorded) < 1e-12)
  }

  @Test(
    "changes, applied one after the other to an export of a checkpoint, give the bits of the last")
  func changes() throws {
    // Only rows of a batch change.
    let settings = ["optimizer=sgd", "objective=plain", "model=bpr"]
    var trained = try Trained(settings[0], settings[1], settings[2])
    // Checkpoints are left out while an earlier one is being written, which can take longer than
    // a short run.
    if try trained.versions().count < 2 {
      trained = try Trained(
        epochs: 1500, settings[0], settings[1], settings[2], "stopping_step=1500")
    }
    var versions = try trained.versions()
    try #require(versions.count >= 2)
    if versions.count > 6 { versions.removeSubrange(5..<versions.count - 1) }
    try trained.export("store", "--checkpoint", "\(versions[0])")
    var store = try ["user", "item"].map { try trained.matrix("store/\($0).npy") }
    for (before, after) in zip(versions, versions.dropFirst()) {
      let name = "from-\(before)"
      let command = try trained.export(
        name, "--since", "\(before)", "--checkpoint", "\(after)")
      #expect(command.errors.contains("version \(after): "), "\(command.errors)")
      let record = try trained.folder.object("\(name)/export.json")
      #expect(record["version"] as? UInt64 == after && record["since"] as? UInt64 == before)
      for (side, kind) in ["user", "item"].enumerated() {
        let rows = try trained.folder.text("\(name)/\(kind)_rows.tsv").split(separator: "\n")
          .dropFirst().map(Self.fields)
        let values = try trained.matrix("\(name)/\(kind).npy")
        #expect(rows.count == values.count && !rows.isEmpty)
        for (row, vector) in zip(rows, values) {
          let number = try #require(Int(row[0]))
          #expect(row[1] == (kind == "user" ? "user-\(number * 7)" : "B,\(number)"))
          #expect(store[side][number] != vector, "row \(number) has not changed")
          store[side][number] = vector
        }
      }
    }
    try trained.export("last", "--checkpoint", "newest")
    #expect(try store == ["user", "item"].map { try trained.matrix("last/\($0).npy") })
    let missing = try trained.export("no", "--since", "1", status: 66)
    #expect(missing.errors.contains("checkpoint_keep"), "\(missing.errors)")
    let reversed = try trained.export(
      "no", "--since", "\(versions[1])", "--checkpoint", "\(versions[0])", status: 64)
    #expect(reversed.errors.contains("which is earlier"))
    try trained.export("no", "--since", "\(versions[1])", "--format", "faiss", status: 64)
    // Nothing has changed.
    let last = try #require(versions.last)
    let none = try trained.export("none", "--since", "\(last)", "--format", "csv")
    #expect(none.errors.contains("0 of 150 users and 0 of 90 items"), "\(none.errors)")
    #expect(try trained.folder.text("none/item.csv") == "row,id,vector\n")
  }

  @Test("vectors of a checkpoint have the bits of the evaluation of its version")
  func checkpointVectors() throws {
    // Later epochs have no checkpoint if the one before is still being written.
    let trained = try Trained(epochs: 1)
    let best = try trained.folder.object("run/best.json")
    let version = try #require(best["version"] as? UInt64)
    try trained.export("best")
    try trained.export("checkpoint", "--checkpoint", "\(version)")
    for name in ["user.npy", "item.npy"] {
      #expect(try trained.folder.read("best/\(name)") == trained.folder.read("checkpoint/\(name)"))
    }
  }

  @Test("a data set for RecBole is imported again as it was; one for MMRec is a data set here, too")
  func dataExport() throws {
    let trained = try Trained()
    let folder = trained.folder
    let recbole = try Command(
      "data", "export", trained.data, "--format", "recbole", "--out", folder.path("shop"), "--quiet"
    )
    #expect(recbole.status == 0, "\(recbole.errors)")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path("shop")).sorted() == [
        "recbole.yaml", "shop.item", "shop.test.inter", "shop.text", "shop.train.inter",
        "shop.valid.inter", "shop.visual",
      ])
    #expect(
      try folder.text("shop/shop.item").hasPrefix(
        "item_id:token\ttitle:token_seq\nB,0\tThing '0'\n"))
    let back = try Command(
      "data", "import", folder.path("shop"), "--out", folder.path("back"), "--quiet")
    #expect(back.status == 0, "\(back.errors)")
    #expect(try Self.interactions(folder, "back") == Self.interactions(folder, "data"))
    let vectors = try folder.text("shop/shop.visual").split(separator: "\n").dropFirst().map {
      Self.fields($0)[1].split(separator: " ").compactMap { Float($0)?.bitPattern }
    }
    #expect(try vectors == trained.matrix("data/image_feat.npy"))

    let mmrec = try Command(
      "data", "export", trained.data, "--format", "mmrec", "--out", folder.path("m"), "--quiet")
    #expect(mmrec.status == 0, "\(mmrec.errors)")
    #expect(try Command("data", "validate", folder.path("m")).status == 0)
    #expect(try Self.interactions(folder, "m") == Self.interactions(folder, "data"))
    #expect(try folder.text("m/i_id_mapping.csv").hasPrefix("asin\titemID\nB,0\t0\n"))
    let again = try Command(
      "data", "export", trained.data, "--format", "mmrec", "--out", folder.path("m"), "--quiet")
    #expect(again.status == 78 && again.errors.contains("--overwrite"))
    let named = try Command(
      "data", "export", trained.data, "--format", "mmrec", "--out", folder.path("a b"), "--quiet")
    #expect(named.status == 78 && named.errors.contains("named like the folder"))
  }

  /// All interactions of a folder by original ids, with their labels.
  private static func interactions(_ folder: TemporaryFolder, _ name: String) throws -> Set<String>
  {
    func ids(_ files: [String]) throws -> [String: String] {
      let file = try #require(
        files.first { FileManager.default.fileExists(atPath: folder.path("\(name)/\($0)")) })
      let lines = try folder.text("\(name)/\(file)").split(separator: "\n").map(fields)
      let dense = try #require(lines[0].firstIndex { ["userID", "itemID"].contains($0) })
      return Dictionary(
        uniqueKeysWithValues: lines.dropFirst().map { ($0[dense], $0[dense == 0 ? 1 : 0]) })
    }
    let users = try ids(["users.tsv", "u_id_mapping.csv"])
    let items = try ids(["items.tsv", "i_id_mapping.csv"])
    let file = try #require(
      try FileManager.default.contentsOfDirectory(atPath: folder.path(name)).first {
        $0.hasSuffix(".inter")
      })
    let lines = try folder.text("\(name)/\(file)").split(separator: "\n").map(fields)
    let columns = try ["userID", "itemID", "x_label"].map {
      try #require(lines[0].firstIndex(of: $0))
    }
    return Set(
      lines.dropFirst().map { line in
        "\(users[line[columns[0]]] ?? "?") \(items[line[columns[1]]] ?? "?") \(line[columns[2]])"
      })
  }

  @Test("a run has event files unless they are switched off, and its summary says what it used")
  func records() throws {
    let trained = try Trained()
    let names = try FileManager.default.contentsOfDirectory(atPath: trained.run)
    let events = names.filter { $0.hasPrefix("events.out.tfevents.") }
    #expect(events.count == 1)
    let file = Data(try trained.folder.read("run/\(try #require(events.first))"))
    for tag in [
      "valid/recall@20", "loss/total", "codes/sigma.visual", "codes/kl_per_dimension.text",
    ] {
      #expect(file.range(of: Data(tag.utf8)) != nil, "\(tag)")
    }
    let usage = try #require(
      try trained.folder.object("run/summary.json")["usage"] as? [String: Any])
    let seconds = try #require(usage["cpu_seconds"] as? [String: Double])
    let energy = try #require(usage["energy"] as? [String: Any])
    #expect(
      seconds.keys.sorted() == ["process", "total"] && seconds["total"] == seconds["process"])
    let joules = try #require(energy["estimated_joules"] as? Double)
    #expect(abs(joules - 10 * (seconds["total"] ?? 0)) < 1e-9)
    #expect((energy["assumption"] as? String)?.contains("estimate") == true)

    let run = trained.folder.path("other")
    let other = try Command(
      "train", "--data", trained.data, "--run", run, "--epochs", "1", "-v", "--set",
      "tensorboard=false", "--set", "watts_per_core=5")
    #expect(other.status == 0, "\(other.errors)")
    #expect(other.errors.contains("Wh at 5 W per busy processor (an estimate)"), "\(other.errors)")
    #expect(
      try !FileManager.default.contentsOfDirectory(atPath: run).contains { $0.contains("tfevents") }
    )
    let roles = try #require(
      (try trained.folder.object("other/summary.json")["usage"] as? [String: Any])?["cpu_seconds"]
        as? [String: Double])
    #expect(roles.keys.sorted() == ["coordinator", "server", "total", "worker"])
    #expect(roles.values.allSatisfy { $0 > 0 })
  }
}
