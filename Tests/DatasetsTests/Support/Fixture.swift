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
