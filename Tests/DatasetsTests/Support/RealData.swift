import Foundation

/// Published data sets, which are not part of the repository: the environment variable MRDIB_DATA
/// names the folder that holds them.
enum RealData {
  static let folder = ProcessInfo.processInfo.environment["MRDIB_DATA"]

  static var isThere: Bool { folder != nil }

  static func path(_ dataset: String) -> String {
    ((folder ?? "") as NSString).appendingPathComponent(dataset)
  }
}
