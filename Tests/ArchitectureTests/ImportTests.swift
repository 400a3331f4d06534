import Foundation
import Testing

/// Checks imports and banned constructs in the sources.
@Suite struct ImportTests {
  /// Lines of all Swift files of a target, by path.
  private func sources(of target: String) throws -> [String: [String]] {
    let folder = root.appendingPathComponent("Sources/\(target)")
    let files = try #require(FileManager.default.enumerator(atPath: folder.path))
    var result: [String: [String]] = [:]
    for case let name as String in files where name.hasSuffix(".swift") {
      let text = try String(
        contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
      result["Sources/\(target)/\(name)"] = text.components(separatedBy: "\n")
    }
    return result
  }

  private var root: URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
  }

  private func targets() throws -> [String] {
    try FileManager.default.contentsOfDirectory(
      atPath: root.appendingPathComponent("Sources").path
    ).sorted()
  }

  private func imports(_ lines: [String]) -> Set<String> {
    Set(
      lines.compactMap { line in
        let words = line.split(separator: " ")
        guard let keyword = words.firstIndex(of: "import"), keyword <= 1, words.count > keyword + 1
        else { return nil }
        return String(words[keyword + 1])
      })
  }

  /// C libraries and the one target that may import each.
  private static let wrappers = [
    "COpenBLAS": ["Tensors"], "CXXHash": ["Tensors"], "CZeroMQ": ["Transport"],
    "CProtobufC": ["Protocol"], "CWireMessages": ["Protocol"], "CProcess": ["Runtime"],
    "CMemoryMaps": ["Datasets"], "CConnectionGuard": ["Transport"],
    "CZlib": ["DataPreparation"], "CZstd": ["DataPreparation"], "CZip": ["DataPreparation"],
    "CJansson": ["DataPreparation"], "CCurl": ["ObjectStorage"], "CExpat": ["ObjectStorage"],
    "CMicroHTTPD": ["Web"],
    "GRDB": ["Coordinator", "Experiments"],
    "Yams": ["Configuration", "Datasets"], "ArgumentParser": ["Commands"],
  ]

  @Test("a library is imported only by the targets that wrap it")
  func wrappersOnly() throws {
    for target in try targets() {
      for (path, lines) in try sources(of: target) {
        for module in imports(lines) {
          guard let allowed = Self.wrappers[module] else { continue }
          #expect(allowed.contains(target), "\(path) imports \(module)")
        }
      }
    }
  }

  /// From the bottom up: a target may import only targets before it.
  private static let layers = [
    "Files", "Telemetry", "Settings", "Tensors", "ObjectStorage", "Tables", "Datasets",
    "DataPreparation", "Recommenders", "Protocol", "ParameterServer", "Checkpoints",
    "Coordinator", "Worker", "Nodes", "Simulation", "Configuration", "Transport", "Web", "Page",
    "Runtime", "Experiments", "Reports", "CostModel", "Commands", "mrdib",
  ]

  @Test("nothing imports upwards")
  func nothingImportsUpwards() throws {
    for target in try targets() where !target.hasPrefix("C") || Self.layers.contains(target) {
      let level = try #require(Self.layers.firstIndex(of: target), "\(target) has no layer")
      for (path, lines) in try sources(of: target) {
        for module in imports(lines) {
          guard let other = Self.layers.firstIndex(of: module) else { continue }
          #expect(other < level, "\(path) imports \(module)")
        }
      }
    }
  }

  @Test("state machines import neither sockets nor threads nor clocks")
  func statesAreValues() throws {
    let banned: Set<String> = ["Transport", "Dispatch", "Synchronization", "Glibc", "CZeroMQ"]
    for target in [
      "Protocol/Membership", "ParameterServer", "Coordinator", "Worker/Session", "Nodes",
    ] {
      for (path, lines) in try sources(of: target) {
        let found = imports(lines).intersection(banned)
        #expect(found.isEmpty, "\(path) imports \(found)")
      }
    }
  }

  @Test("no call that ends the process without a message, and no marks of unfinished work")
  func bannedWords() throws {
    // Spelled in pieces, so that this file does not find itself.
    let banned = ["fatal" + "Error(", "try" + "!", "TO" + "DO", "FIX" + "ME"]
    for target in try targets() {
      for (path, lines) in try sources(of: target) {
        for (number, line) in lines.enumerated() {
          for word in banned {
            #expect(!line.contains(word), "\(path):\(number + 1): \(word)")
          }
        }
      }
    }
  }

  /// Ways to open a file that block on a named pipe, or do not check the kind of file.
  private static let openings = [
    "O_RDONLY", "O_WRONLY", "O_RDWR", "O_CREAT", "fopen(", "opendir(", "FileHandle(for",
    "(contentsOf: URL", "(contentsOfFile", ".contents(atPath", ".createFile(atPath",
    ".write(toFile", ".write(to: URL", "InputStream(", "OutputStream(",
  ]

  @Test("files are opened by name only with PlainFile, which does not block and checks their kind")
  func oneWayToOpen() throws {
    for target in try targets() where target != "Files" {
      for (path, lines) in try sources(of: target) {
        for (number, line) in lines.enumerated() {
          for way in Self.openings {
            #expect(!line.contains(way), "\(path):\(number + 1): \(way); use PlainFile")
          }
        }
      }
    }
  }

  @Test(
    "only Processes/Output writes to standard streams: a write blocks while the output is unread")
  func standardStreams() throws {
    let banned =
      ["print(", "fputs(", "puts(", "StreamLogHandler.standard", "FileHandle.standard"]
      + ["STDOUT_FILENO", "STDERR_FILENO"]
    for target in try targets() {
      for (path, lines) in try sources(of: target)
      where !path.hasPrefix("Sources/Runtime/Processes/Output/") {
        for (number, line) in lines.enumerated() {
          // Comparing or passing on the descriptor is allowed.
          let words = line.replacing("descriptor > STDERR_FILENO", with: "")
            .replacing("dup(STDERR_FILENO)", with: "")
          for word in banned {
            #expect(!words.contains(word), "\(path):\(number + 1): \(word)")
          }
        }
      }
    }
  }

  @Test("lines are at most 100 characters long")
  func lineLength() throws {
    for target in try targets() {
      // Generated by scripts/embed-page from HTML, CSS and JavaScript, whose lines it keeps. (Other
      // generated code is C, in targets that are not read here.)
      for (path, lines) in try sources(of: target) where path != "Sources/Page/PageFiles.swift" {
        for (number, line) in lines.enumerated() {
          #expect(line.count <= 100, "\(path):\(number + 1) has \(line.count) characters")
        }
      }
    }
  }
}
