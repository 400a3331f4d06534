import Foundation
import Runtime
import TestSupport
import Testing
import Transport

@Suite struct KeyFolderTests {
  private let temporary: TemporaryFolder

  init() throws { temporary = try TemporaryFolder() }

  private func folder(_ name: String = "keys") -> KeyFolder {
    KeyFolder("\(temporary.path)/\(name)")
  }

  private func mode(_ path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return try #require(attributes[.posixPermissions] as? Int)
  }

  private func setMode(_ mode: Int, _ path: String) throws {
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
  }

  private func curve(_ folder: KeyFolder, listens: Bool) throws -> CurveSecurity {
    guard case .curve(let keys) = try folder.security(listens: listens) else {
      throw CocoaError(.featureUnsupported)
    }
    return keys
  }

  private func failure(
    _ folder: KeyFolder, listens: Bool = true
  ) throws -> RuntimeError {
    try #require(
      #expect(throws: RuntimeError.self) { try folder.security(listens: listens) })
  }

  @Test("a new folder is enough for every role, and only its owner can read the secrets")
  func create() throws {
    try folder().create()
    let path = folder().path
    for secret in ["cluster.secret", "node.secret"] {
      #expect(try mode("\(path)/\(secret)") == 0o600)
    }
    #expect(try mode(path) == 0o700)
    let keys = try curve(folder(), listens: true)
    let listening = try #require(keys.listening)
    #expect(listening.cluster.publicKey == keys.clusterKey)
    #expect(listening.allowed == [keys.node.publicKey: "node"])
    #expect(try curve(folder(), listens: false).listening == nil)
  }

  @Test("keys are never replaced: a second attempt names the existing file")
  func existing() throws {
    try folder().create()
    let before = try curve(folder(), listens: true)
    let error = #expect(throws: RuntimeError.self) { try folder().create() }
    #expect(error?.exitCode == .cannotCreate)
    #expect(error?.message.contains("cluster.secret' exists already") == true)
    #expect(try curve(folder(), listens: true).clusterKey == before.clusterKey)
  }

  @Test("another machine: its key is allowed here, and its folder can only be used to connect")
  func add() throws {
    try folder().create()
    try folder().add("lab-3", into: folder("lab"))
    let cluster = try curve(folder(), listens: true)
    let machine = try curve(folder("lab"), listens: false)
    #expect(machine.clusterKey == cluster.clusterKey)
    #expect(cluster.listening?.allowed[machine.node.publicKey] == "lab-3")
    #expect(cluster.listening?.allowed.count == 2)
    #expect(try mode("\(folder("lab").path)/node.secret") == 0o600)
    let listening = try failure(folder("lab"))
    #expect(listening.message.contains("lab/cluster.secret"))
    let again = #expect(throws: RuntimeError.self) {
      try folder().add("lab-3", into: folder("other"))
    }
    #expect(again?.message.contains("lab-3.public' exists already") == true)
    #expect(!FileManager.default.fileExists(atPath: folder("other").path))
  }

  @Test(
    "a name that could leave the folder is refused",
    arguments: ["", "../x", "a/b", ".hidden", "a b", "ä", String(repeating: "a", count: 65)])
  func names(_ name: String) throws {
    try folder().create()
    let error = #expect(throws: RuntimeError.self) {
      try folder().add(name, into: folder("other"))
    }
    #expect(error?.exitCode == .usage)
  }

  @Test(
    "a secret that others can read is refused with what to do",
    arguments: [0o640, 0o604, 0o644, 0o660, 0o666], ["node.secret", "cluster.secret"])
  func readable(_ mode: Int, _ file: String) throws {
    try folder().create()
    let path = "\(folder().path)/\(file)"
    try setMode(mode, path)
    let error = try failure(folder())
    #expect(error.exitCode == .configuration)
    #expect(error.message.contains("'\(path)'") && error.message.contains("chmod 600"))
    #expect(error.message.contains(String(mode, radix: 8)))
    try setMode(0o400, path)
    #expect(throws: Never.self) { try folder().security(listens: true) }
  }

  @Test(
    "only the owner may change which keys are trusted",
    arguments: ["", "/allowed", "/allowed/node.public", "/cluster.public"])
  func writable(_ place: String) throws {
    try folder().create()
    let path = folder().path + place
    try setMode(0o722, path)
    let error = try failure(folder())
    #expect(error.exitCode == .configuration)
    #expect(error.message.contains("'\(path)'") && error.message.contains("chmod go-w"))
    try setMode(0o755, path)
    #expect(throws: Never.self) { try folder().security(listens: true) }
  }

  @Test("a missing file is named with the command that makes it")
  func missing() throws {
    let none = try failure(folder("none"))
    #expect(none.exitCode == .inputMissing && none.message.contains("mrdib keys new"))
    try folder().create()
    try FileManager.default.removeItem(atPath: "\(folder().path)/allowed/node.public")
    let empty = try failure(folder())
    #expect(empty.message.contains("no peer could connect"))
    try FileManager.default.removeItem(atPath: "\(folder().path)/node.secret")
    #expect(try failure(folder(), listens: false).message.contains("keys/node.secret'"))
  }

  @Test("files of two clusters are not mixed")
  func mixed() throws {
    try folder().create()
    try folder("other").create()
    for file in ["cluster.public"] {
      try FileManager.default.removeItem(atPath: "\(folder().path)/\(file)")
      try FileManager.default.copyItem(
        atPath: "\(folder("other").path)/\(file)", toPath: "\(folder().path)/\(file)")
    }
    #expect(try failure(folder()).message.contains("do not belong together"))
  }

  private static let changes: [(String, @Sendable (String) -> String)] = [
    ("first line", { $0.replacingOccurrences(of: "mrdib key 1", with: "mrdib key 2") }),
    ("first line", { _ in "" }),
    ("line 5", { $0.replacingOccurrences(of: "\nsecret ", with: "\nsecert ") }),
    ("line 4", { $0.replacingOccurrences(of: "\npublic ", with: "\nname ") }),
    ("no public key", { $0.replacingOccurrences(of: "\npublic ", with: "\npublic x") }),
    ("no valid name", { $0.replacingOccurrences(of: "\nname ", with: "\n# ") }),
    ("not 40 characters", { $0.replacingOccurrences(of: "\nsecret ", with: "\nsecret x") }),
    ("no secret key", { $0.components(separatedBy: "secret ")[0...1].joined() }),
    ("at most 4096 bytes", { $0 + String(repeating: "#", count: 5000) }),
  ]

  @Test("a damaged file is refused with the reason, and without its secret", arguments: 0..<9)
  func damaged(_ number: Int) throws {
    let (found, change) = Self.changes[number]
    try folder().create()
    let path = "\(folder().path)/node.secret"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let secret = try #require(text.split(separator: "\n").last?.split(separator: " ").last)
    let changed = change(text)
    #expect(changed != text)
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.truncate(atOffset: 0)
    try handle.write(contentsOf: Data(changed.utf8))
    try handle.close()
    let error = try failure(folder())
    #expect(error.exitCode == .dataMalformed)
    #expect(error.message.contains(found), "\(error.message)")
    #expect(error.message.contains("'\(path)'") && !error.message.contains(secret))
  }

  @Test("a public key of another pair is refused")
  func otherPublic() throws {
    try folder().create()
    let path = "\(folder().path)/node.secret"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let own = try curve(folder(), listens: false).node.publicKey
    let other = try CurveKeyPair.fresh().publicKey
    try Data(text.replacingOccurrences(of: "\(own)", with: "\(other)").utf8)
      .write(to: URL(fileURLWithPath: path))
    try setMode(0o600, path)
    #expect(try failure(folder()).message.contains("do not belong together"))
  }

  @Test(
    "a named pipe in the place of a key is refused by name, without waiting",
    arguments: ["node.secret", "cluster.secret", "cluster.public", "allowed/node.public"])
  func pipes(_ file: String) throws {
    try folder().create()
    let path = "\(folder().path)/\(file)"
    try FileManager.default.removeItem(atPath: path)
    try #require(mkfifo(path, 0o600) == 0)
    let error = try failure(folder())
    #expect(error.exitCode == .inputMissing)
    #expect(error.message.contains("'\(path)': it is a named pipe"), "\(error.message)")
  }

  @Test("keys added later: a pipe allows no peer, and too many files change nothing")
  func later() throws {
    try folder().create()
    let listening = try #require(try curve(folder(), listens: true).listening)
    let allowed = "\(folder().path)/allowed"
    try #require(mkfifo("\(allowed)/late.public", 0o600) == 0)
    #expect(listening.allowedNow() == listening.allowed)
    for number in 0..<4096 { try temporary.write("", to: "keys/allowed/\(number)") }
    #expect(listening.allowedNow() == nil)
    #expect(try failure(folder()).message.contains("more than 4096 entries"))
  }

  @Test("showing a folder shows public keys and no secret")
  func show() throws {
    try folder().create()
    try folder().add("lab-3", into: folder("lab"))
    let text = try folder().lines().joined(separator: "\n")
    let keys = try curve(folder(), listens: true)
    #expect(text.contains("\(keys.clusterKey)") && text.contains("lab-3"))
    for pair in [keys.node, try #require(keys.listening).cluster] {
      #expect(!text.contains(pair.secretText))
    }
    let last = try folder("lab").lines().last
    #expect(last == "usable for\tworkers only: it has no cluster.secret")
  }
}
