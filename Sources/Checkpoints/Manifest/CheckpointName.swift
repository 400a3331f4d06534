/// Which checkpoint of a run: a version, reached in a generation. Also the name of its folder,
/// `v0000000118-g2`.
public struct CheckpointName: Sendable, Hashable, Comparable {
  /// In which the version was reached.
  public let generation: UInt64
  /// What the tables stand at.
  public let version: UInt64

  public init(generation: UInt64, version: UInt64) {
    self.generation = generation
    self.version = version
  }

  /// The checkpoint that a folder is for; nil if its name is not one of a checkpoint.
  public init?(folder: String) {
    guard folder.hasPrefix("v"), let dash = folder.firstIndex(of: "-"),
      let version = UInt64(folder[folder.index(after: folder.startIndex)..<dash]),
      folder[dash...].hasPrefix("-g"), let generation = UInt64(folder[dash...].dropFirst(2))
    else { return nil }
    self.init(generation: generation, version: version)
    // One name per checkpoint: no signs, no other padding.
    guard self.folder == folder else { return nil }
  }

  /// The name of the folder.
  public var folder: String {
    let digits = String(version)
    return "v" + String(repeating: "0", count: max(0, 10 - digits.count)) + digits
      + "-g\(generation)"
  }

  /// The manifest, relative to the folder of all checkpoints.
  public var manifest: String { "\(folder)/manifest.json" }

  /// Older to newer. A generation begins with the newest usable checkpoint of the one before, so
  /// that all of its own are newer.
  public static func < (left: CheckpointName, right: CheckpointName) -> Bool {
    (left.generation, left.version) < (right.generation, right.version)
  }

  /// The name of the file with the rows of one server.
  static func shardFile(rank: Int, serverCount: Int) -> String {
    "server-\(rank)-of-\(serverCount).safetensors"
  }
}
