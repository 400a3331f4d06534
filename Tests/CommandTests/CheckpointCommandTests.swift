import Foundation
import TestSupport
import Testing

/// The commands about checkpoints.
@Suite(.serialized) struct CheckpointCommandTests {
  private let folder: TemporaryFolder
  private let data: String
  private var run: String { "\(folder.path)/run" }

  /// A run that was stopped, with its first two checkpoints and the last.
  init() throws {
    folder = try TemporaryFolder()
    data = try folder.generateData()
    try train("run", ["--single-process"])
    let names = try checkpoints()
    let kept = [names[0], names[1], try #require(names.last)]
    for name in try FileManager.default.contentsOfDirectory(atPath: "\(run)/checkpoints")
    where !kept.contains(name) {
      try FileManager.default.removeItem(atPath: "\(run)/checkpoints/\(name)")
    }
  }

  /// Trains until there are some checkpoints. A version may be left out while an earlier one is
  /// being written, but never the first.
  ///
  /// - Parameter shared: folder of the checkpoints of many runs.
  private func train(
    _ name: String, _ options: [String], sharing shared: String? = nil
  ) throws {
    let others = Set(try shared.map(parts) ?? [])
    let train = try RunningCommand(
      folder,
      [
        "train", "--data", data, "--run", "\(folder.path)/\(name)", "--epochs", "100000", "--set",
        "stopping_step=100000", "--set", "train_batch_size=512", "--set", "checkpoint_keep=100000",
        // The file of a server has every row up to date.
        "--set", "adam_mode=dense",
      ] + (shared.map { ["--set", "checkpoint_folder=\(folder.path)/\($0)"] } ?? []) + options)
    try Wait.until("some checkpoints of \(name)") {
      guard let shared else { return try checkpoints(in: "\(name)/checkpoints").count > 3 }
      let own = try parts(of: shared).first { !others.contains($0) }
      return try own.map { try checkpoints(in: "\(shared)/\($0)").count > 3 } ?? false
    }
    train.terminate()
    #expect(try train.wait() == 143, "\(train.errors)")
  }

  /// The entries of a folder that runs share.
  private func parts(of shared: String) throws -> [String] {
    let path = "\(folder.path)/\(shared)"
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }

  /// The checkpoints in a folder, oldest first.
  private func checkpoints(in place: String = "run/checkpoints") throws -> [String] {
    try parts(of: place).filter {
      FileManager.default.fileExists(atPath: "\(folder.path)/\(place)/\($0)/manifest.json")
    }
  }

  private func runID(_ name: String) throws -> String {
    try #require(try folder.object("\(name)/summary.json")["run_id"] as? String)
  }

  private func json(_ command: Command) throws -> [String: Any] {
    try #require(
      try JSONSerialization.jsonObject(with: Data(command.output.utf8)) as? [String: Any])
  }

  /// Tensors of a safetensors file, read by the format's description.
  private func tensors(_ name: String) throws -> [String: (shape: [Int], bytes: Data)] {
    let file = try folder.bytes(name)
    let length = (0..<8).reduce(0) { $0 | Int(file[$1]) << (8 * $1) }
    let header = try #require(
      try JSONSerialization.jsonObject(with: file[8..<8 + length]) as? [String: Any])
    var result: [String: (shape: [Int], bytes: Data)] = [:]
    for (name, value) in header where name != "__metadata__" {
      let entry = try #require(value as? [String: Any])
      let offsets = try #require(entry["data_offsets"] as? [Int])
      result[name] = (
        try #require(entry["shape"] as? [Int]),
        Data(file[(8 + length + offsets[0])..<(8 + length + offsets[1])])
      )
    }
    return result
  }

  private func change(_ file: String, _ body: (inout Data) -> Void) throws {
    var bytes = try folder.bytes(file)
    body(&bytes)
    try bytes.write(to: URL(fileURLWithPath: "\(folder.path)/\(file)"))
  }

  // MARK: list

  @Test("list shows each checkpoint, newest first, with its problem")
  func list() throws {
    let names = try checkpoints()
    #expect(names.count == 3)
    let good = try Command("checkpoint", "list", run)
    #expect(good.status == 0, "\(good.errors)")
    let lines = good.output.split(separator: "\n")
    #expect(lines.count == 4 && lines[0].hasPrefix("checkpoint "), "\(good.output)")
    #expect(lines.dropFirst().map { $0.prefix { $0 != " " } } == names.reversed().map { $0[...] })
    #expect(lines[1].contains("  newest usable  "))
    #expect(lines.dropFirst(2).allSatisfy { $0.contains("  usable  ") })

    let last = "run/checkpoints/\(names[2])"
    try change("\(last)/server-0-of-1.safetensors") { $0.removeLast() }
    try FileManager.default.removeItem(
      atPath: "\(run)/checkpoints/\(names[1])/manifest.json")
    let entries = try #require(
      try json(Command("checkpoint", "list", "--json", "\(run)/"))["checkpoints"]
        as? [[String: Any]])
    #expect(entries.map { $0["state"] as? String } == ["damaged", "incomplete", "usable"])
    #expect(entries.map { $0["epoch"] as? Int }.dropFirst() == [nil, 1])
    #expect(try #require(entries[0]["epoch"] as? Int) > 2)
    #expect(entries.map { $0["newest_usable"] as? Bool } == [false, false, true])
    #expect((0..<600).contains(try #require(entries[2]["age_seconds"] as? Double)))
    #expect(entries[2]["servers"] as? Int == 1)
    let size = try folder.bytes("run/checkpoints/\(names[0])/server-0-of-1.safetensors").count
    #expect(entries[2]["bytes"] as? Int == size)
    let bad = try Command("checkpoint", "list", "\(run)/checkpoints")
    #expect(bad.status == 0)
    #expect(
      bad.output.contains("\(names[2]): Cannot use '\(folder.path)/\(last)/server-0-of-1"),
      "\(bad.output)")
  }

  @Test("runs that share a folder each have a part of it, and do not use the other's checkpoints")
  func sharedFolder() throws {
    for (name, seed) in [("one", "5"), ("two", "6")] {
      try train(name, ["--single-process", "--seed", seed], sharing: "shared")
    }
    let shared = "\(folder.path)/shared"
    let ids = try ["one", "two"].map(runID)
    #expect(try parts(of: "shared") == ids.sorted())
    // The newest of the other run is newer than all of this one.
    let own = try checkpoints(in: "shared/\(ids[0])")
    let other = try #require(try checkpoints(in: "shared/\(ids[1])").last)
    for name in own where name >= other {
      try FileManager.default.removeItem(atPath: "\(shared)/\(ids[0])/\(name)")
    }
    try FileManager.default.moveItem(
      atPath: "\(shared)/\(ids[1])/\(other)", toPath: "\(shared)/\(ids[0])/\(other)")
    let left = own.filter { $0 < other }
    let newest = try #require(left.last)
    let one = "\(folder.path)/one"
    let list = try json(Command("checkpoint", "list", "--json", one))
    #expect(list["folder"] as? String == "\(shared)/\(ids[0])")
    let entries = try #require(list["checkpoints"] as? [[String: Any]])
    #expect(entries.first?["state"] as? String == "other_run")
    #expect(entries.dropFirst().map { $0["checkpoint"] as? String } == left.reversed())
    #expect(entries.dropFirst().allSatisfy { $0["state"] as? String == "usable" })
    #expect(
      entries.filter { $0["newest_usable"] as? Bool == true }.map { $0["checkpoint"] as? String }
        == [newest])
    let verification = try json(Command("checkpoint", "verify", "--json", one))
    #expect((verification["checkpoints"] as? [Any])?.count == left.count)
    let export = try Command("checkpoint", "export", one, "--out", "\(folder.path)/out")
    #expect(export.status == 0, "\(export.errors)")
    #expect(export.errors.contains("from \(shared)/\(ids[0])/\(newest)\n"))
  }

  // MARK: verify

  @Test("verify finds no problem, then a flipped byte, then a truncated file")
  func verify() throws {
    let good = try Command("checkpoint", "verify", run)
    #expect(good.status == 0, "\(good.output)\(good.errors)")
    #expect(good.output.split(separator: "\n").count { $0.contains(": good, ") } == 5)
    #expect(good.output.contains("\nbest model, models/epoch-"), "\(good.output)")

    let names = try checkpoints()
    let file = "run/checkpoints/\(names[1])/server-0-of-1.safetensors"
    try change(file) { $0[$0.count / 2] ^= 1 }
    for path in [run, "\(run)/checkpoints/\(names[1])"] {
      let flipped = try Command("checkpoint", "verify", path)
      #expect(flipped.status == 65)
      #expect(flipped.output.contains("'\(folder.path)/\(file)': its digest is"))
    }
    #expect(try Command("checkpoint", "verify", "\(run)/checkpoints/\(names[0])").status == 0)

    try change(file) { $0.removeLast(100) }
    let truncated = try Command("checkpoint", "verify", run)
    #expect(truncated.status == 65)
    #expect(truncated.output.contains("'\(folder.path)/\(file)'"), "\(truncated.output)")

    let manifest = "run/checkpoints/\(names[2])/manifest.json"
    try change(manifest) { $0.removeLast(20) }
    let manifests = try Command("checkpoint", "verify", run)
    #expect(manifests.status == 65)
    #expect(manifests.output.contains("'\(folder.path)/\(manifest)'"), "\(manifests.output)")
  }

  @Test("a flipped byte in the best model: verify, export and recommend name the file")
  func bestModel() throws {
    let model = try #require(try folder.object("run/best.json")["folder"] as? String)
    for name in ["item.npy", "user.npy", "parameters.safetensors"] {
      let file = "run/\(model)/\(name)"
      try change(file) { $0[$0.count / 2] ^= 1 }
      let problem = "'\(folder.path)/\(file)': its digest is not the recorded one"
      let flipped = try Command("checkpoint", "verify", run)
      #expect(flipped.status == 65 && flipped.output.contains(problem), "\(flipped.output)")
      let export = try Command("export", "--run", run, "--out", "\(folder.path)/vectors")
      #expect(export.status == (name.hasSuffix(".npy") ? 65 : 0), "\(name): \(export.errors)")
      if export.status == 65 { #expect(export.errors.contains(problem), "\(export.errors)") }
      let items = try Command("recommend", "--run", run, "--user", "1", "--top", "3")
      // VBPR's reasons need the parameters, too.
      #expect(items.status == 65 && items.errors.contains(problem), "\(name): \(items.errors)")
      let isExported = FileManager.default.fileExists(atPath: "\(folder.path)/vectors")
      #expect(isExported == (export.status == 0))
      try change(file) { $0[$0.count / 2] ^= 1 }
    }
    #expect(try Command("checkpoint", "verify", run).status == 0)
    try change("run/\(model)/user.npy") { $0.removeLast(4) }
    let truncated = try Command("checkpoint", "verify", run)
    #expect(truncated.output.contains("user.npy': it has "), "\(truncated.output)")
  }

  @Test("without checkpoints verify still checks the best model; a missing best.json is a problem")
  func bestModelAlone() throws {
    try FileManager.default.removeItem(atPath: "\(run)/checkpoints")
    let alone = try Command("checkpoint", "verify", run)
    #expect(alone.status == 66 && alone.output.contains("best model, models/epoch-"))
    #expect(alone.errors.contains("there is none yet"), "\(alone.errors)")
    try FileManager.default.removeItem(atPath: "\(run)/best.json")
    let lost = try Command("checkpoint", "verify", run)
    #expect(lost.status == 65 && lost.output.contains("there is no best.json"), "\(lost.output)")
  }

  @Test("an incomplete checkpoint is a problem only if it is named")
  func incomplete() throws {
    let last = "\(run)/checkpoints/\(try checkpoints()[2])"
    try FileManager.default.removeItem(atPath: "\(last)/manifest.json")
    let whole = try Command("checkpoint", "verify", run)
    #expect(whole.status == 0 && whole.output.contains("incomplete"), "\(whole.output)")
    let one = try Command("checkpoint", "verify", last)
    #expect(one.status == 65 && one.output.contains("no manifest.json"), "\(one.output)")
  }

  // MARK: export

  @Test(
    "an export has every table whole, and the optimizer's state on demand",
    arguments: [false, true])
  func export(withState: Bool) throws {
    let out = "\(folder.path)/made/out"
    func export(_ format: String) throws -> Command {
      try Command(
        arguments: ["checkpoint", "export", run, "--format", format, "--out", out]
          + (withState ? ["--with-state"] : []))
    }
    let command = try export("safetensors")
    #expect(command.status == 0, "\(command.errors)")
    let name = try checkpoints()[2]
    #expect(command.output == "\(out)/parameters.safetensors\n")
    #expect(command.errors.contains("from \(run)/checkpoints/\(name)\n"))
    let exported = try tensors("made/out/parameters.safetensors")
    let server = try tensors("run/checkpoints/\(name)/server-0-of-1.safetensors")
    let saved = try #require(try folder.object("run/best.json")["folder"] as? String)
    let parameters = try tensors("run/\(saved)/parameters.safetensors")
    #expect(parameters.count > 3 && Set(parameters.keys).isSubset(of: exported.keys))
    #expect(exported.keys.contains { $0.hasSuffix("/exp_avg_sq") } == withState)
    for (name, tensor) in exported {
      #expect(tensor.shape == server[name]?.shape && tensor.bytes == server[name]?.bytes, "\(name)")
    }
    // npy files have the same numbers after a header with their shape.
    let matrices = try export("npy")
    #expect(matrices.output.split(separator: "\n").count == exported.count, "\(matrices.errors)")
    for (name, tensor) in exported {
      let file = "made/out/\(name.replacing("/", with: ".")).npy"
      let bytes = try folder.bytes(file)
      #expect(matrices.output.contains("\(folder.path)/\(file)\n"))
      let length = 10 + Int(bytes[8]) + Int(bytes[9]) << 8
      let header = String(decoding: bytes[10..<length], as: UTF8.self)
      #expect(
        header.contains("'<f4'") && header.contains("(\(tensor.shape[0]), \(tensor.shape[1]))"))
      #expect(Data(bytes[length...]) == tensor.bytes, "\(name)")
    }
  }

  @Test("an export of a run uses the newest undamaged checkpoint, and names it")
  func exportOfDamaged() throws {
    let names = try checkpoints()
    let file = "run/checkpoints/\(names[2])/server-0-of-1.safetensors"
    try change(file) { $0[$0.count - 1] ^= 1 }
    let out = "\(folder.path)/out"
    let damaged = try Command(
      "checkpoint", "export", "\(run)/checkpoints/\(names[2])", "--out", out)
    #expect(damaged.status == 65 && damaged.errors.contains(file), "\(damaged.errors)")
    #expect(!FileManager.default.fileExists(atPath: "\(out)/parameters.safetensors"))
    let newest = try Command("checkpoint", "export", run, "--out", out)
    #expect(newest.status == 0)
    #expect(newest.errors.contains(file) && newest.errors.contains("from \(run)/checkpoints/"))
    #expect(newest.errors.contains("\(names[1])\n"))
    let nowhere = try Command("checkpoint", "export", run, "--out", "/proc/none")
    #expect(nowhere.status == 73 && nowhere.errors.contains("'/proc/none'"), "\(nowhere.errors)")
  }

  // MARK: diff

  @Test("diff: 0 for a cluster and one process, 1 for two versions, more for errors")
  func diff() throws {
    try train("cluster", ["--servers", "2", "--workers", "2"])
    let paths = try checkpoints().map { "\(run)/checkpoints/\($0)" }
    let cluster =
      "\(folder.path)/cluster/checkpoints/\(try checkpoints(in: "cluster/checkpoints")[0])"
    let same = try Command("checkpoint", "diff", paths[0], cluster)
    #expect(same.status == 0, "\(same.output)\(same.errors)")
    #expect(same.output.hasSuffix("the same bits\n"))
    #expect(try Command("checkpoint", "diff", paths[2], run).status == 0)
    let different = try Command("checkpoint", "diff", "--json", paths[0], paths[1])
    #expect(different.status == 1, "\(different.errors)")
    let tables = try #require(try json(different)["tables"] as? [[String: Any]])
    let changed = tables.filter { $0["state"] as? String == "different" }
    #expect(!changed.isEmpty)
    // Tables that evaluation writes are not compared.
    #expect(!tables.contains { ($0["table"] as? String ?? "").hasPrefix("final") })
    for table in changed {
      let rows = try #require(table["rows"] as? Int)
      #expect(try #require(table["differing_rows"] as? Int) <= rows)
    }
    #expect(changed.contains { ($0["largest_difference"] as? Double ?? 0) > 0 })
    let lines = try Command("checkpoint", "diff", paths[0], paths[1]).output
      .split(separator: "\n")
    #expect(lines.last == "\(changed.count) of \(tables.count) tables differ")

    try change("run/checkpoints/\(try checkpoints()[0])/server-0-of-1.safetensors") {
      $0.removeLast()
    }
    #expect(try Command("checkpoint", "diff", paths[0], paths[1]).status == 65)
    #expect(try Command("checkpoint", "diff", paths[1], "\(folder.path)/none").status == 66)
    #expect(try Command("checkpoint", "diff", paths[1]).status == 64)
  }

  @Test("diff names tables that only one checkpoint has")
  func otherModel() throws {
    try train("bpr", ["--single-process", "--model", "bpr", "--objective", "plain"])
    let other = try Command("checkpoint", "diff", run, "\(folder.path)/bpr")
    #expect(other.status == 1 && other.output.contains("only in the first"), "\(other.output)")
  }

  // MARK: Bad input

  @Test("a checkpoint in the format of another release is refused, also by a run that resumes")
  func otherFormat() throws {
    let name = try checkpoints()[2]
    let manifest = "run/checkpoints/\(name)/manifest.json"
    try change(manifest) {
      let text = String(decoding: $0, as: UTF8.self)
      $0 = Data(text.replacing(/"format_version" : \d+/, with: "\"format_version\" : 77").utf8)
    }
    let entries = try json(Command("checkpoint", "list", "--json", run))["checkpoints"]
    let listed = try #require(entries as? [[String: Any]])
    #expect(listed.map { $0["state"] as? String } == ["unsupported", "usable", "usable"])
    #expect(listed.map { $0["newest_usable"] as? Bool } == [false, true, false])
    let found = "'\(folder.path)/\(manifest)': it has format 77"
    let verification = try Command("checkpoint", "verify", run)
    #expect(verification.status == 65 && verification.output.contains(found))
    let path = "\(run)/checkpoints/\(name)"
    for arguments in [["export", path, "--out", "\(folder.path)/x"], ["diff", path, run]] {
      let command = try Command(arguments: ["checkpoint"] + arguments)
      #expect(command.status == 65 && command.errors.contains(found), "\(command.errors)")
    }
    let train = try Command(
      "train", "--single-process", "--data", data, "--run", run, "--epochs", "100000", "--set",
      "stopping_step=100000", "--set", "train_batch_size=512", "--set", "adam_mode=dense")
    #expect(train.status == 65 && train.errors.contains(found), "\(train.errors)")
  }

  @Test("the help of every subcommand shows examples")
  func help() throws {
    for part in [[], ["list"], ["verify"], ["export"], ["diff"]] {
      let command = try Command(arguments: ["checkpoint"] + part + ["--help"])
      let example = "  mrdib checkpoint \(part.first ?? "list") "
      #expect(command.status == 0 && command.output.contains(example), "\(command.output)")
    }
  }

  @Test("paths that lead to no checkpoint are refused with one sentence")
  func nothingThere() throws {
    let file = "\(run)/summary.json"
    for (path, found) in [
      ("\(folder.path)/none", "there is no such folder"), (file, "that is a file"),
      (data, "neither a run nor checkpoints"),
      ("\(run)/checkpoints/v0000009999-g1", "there is no such folder"),
    ] {
      for arguments in [
        ["list", path], ["verify", path], ["export", path, "--out", "\(folder.path)/x"],
        ["diff", path, run],
      ] {
        let command = try Command(arguments: ["checkpoint"] + arguments)
        #expect(command.status == 66, "\(arguments)")
        #expect(
          command.errors.contains("'\(path)'") && command.errors.contains(found),
          "\(command.errors)")
        #expect(command.errors.split(separator: "\n").count == 1 && command.output.isEmpty)
      }
    }
    // A run without checkpoints can be listed.
    try FileManager.default.removeItem(atPath: "\(run)/checkpoints")
    let list = try Command("checkpoint", "list", run)
    #expect(list.status == 0 && list.output.hasPrefix("no checkpoints in '"))
    for arguments in [["verify", run], ["export", run, "--out", "\(folder.path)/x"]] {
      let command = try Command(arguments: ["checkpoint"] + arguments)
      #expect(command.status == 66 && command.errors.contains("there is none yet"))
    }
  }
}
