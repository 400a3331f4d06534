import Foundation

/// Files under `Tests/Fixtures`.
enum Fixture {
  static func npy(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/npy/\(name).npy").path
  }

  /// The matrix in all files of ``npy(_:)`` that hold one, `[3, 4]`; see `make.py` there.
  static let matrix: [[Float]] = [
    [0, 1, -2.5, 65504], [0.5, -0.0, 0x1p-24, 3], [-1024, 0.25, 7, -6.103515625e-05],
  ]
}

/// Published data sets, which are not part of the repository: the environment variable MRDIB_DATA
/// names the folder that holds them.
enum RealData {
  static let folder = ProcessInfo.processInfo.environment["MRDIB_DATA"]

  static var isThere: Bool { folder != nil }

  static func path(_ dataset: String) -> String {
    ((folder ?? "") as NSString).appendingPathComponent(dataset)
  }
}

/// An npy file of format version 1 with this header, valid or not.
func npy(_ header: String, _ payload: [UInt8]) -> [UInt8] {
  let text = Array(header.utf8)
  return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.count & 0xFF), UInt8(text.count >> 8)]
    + text + payload
}
