import Datasets
import Files

/// Where features come from: rows of numbers, each with an id.
protocol FeatureSource: AnyObject {
  var path: String { get }

  /// Passes every row on, in the order of the file.
  ///
  /// - Throws: ``DatasetError`` if the file cannot be read; whatever `take` throws.
  func read(_ take: (FeatureRow) throws -> Void) throws
}

/// A row of a source of features; valid only during the call that receives it.
struct FeatureRow {
  /// The original id; nil if the source has no ids, so that the row number is the dense id.
  let id: UnsafeRawBufferPointer?
  let place: FeaturePlace
  let values: UnsafeBufferPointer<Float>
  /// How much of the source was read, 0 to 1.
  let share: Double
}

/// Where a row stands in its file.
enum FeaturePlace {
  /// From 1.
  case line(Int)
  /// From 0.
  case row(Int)
  case tensor(String)

  /// How the source numbers a column of the row: lines from 1, as the lines themselves, and arrays
  /// from 0, as NumPy does.
  func number(ofColumn column: Int) -> Int {
    if case .line = self { column + 1 } else { column }
  }

  /// An error about the row.
  ///
  /// - Parameter problem: the rest of a sentence whose subject is the row.
  func error(_ path: String, _ problem: String) -> DatasetError {
    switch self {
    case .line(let line): DatasetError(.malformed, path: path, line: line, problem)
    case .row(let row): DatasetError(.malformed, path: path, "row \(row) \(problem)")
    case .tensor(let name):
      DatasetError(
        .malformed, path: path, "the tensor '\(name.sanitized(atMost: 64))' \(problem)")
    }
  }
}

/// Limits of all sources.
enum FeatureLimits {
  /// The most values of a row.
  static let columns = 1 << 20
}

/// Opens the source of a path by its content.
enum FeatureSourceOpening {
  /// - Parameters:
  ///   - location: a path, or that of an npz file with an array's name: `FILE.npz:ARRAY`.
  ///   - idsPath: a list of ids, for sources without their own.
  /// - Throws: ``DatasetError`` if the file cannot be read or is of no kind that is known.
  static func open(_ location: String, idsPath: String?) throws -> any FeatureSource {
    let (path, array) = split(location)
    let start: [UInt8]
    do {
      start = try PlainFile.beginning(of: path, byteCount: 16)
    } catch {
      throw FileBytes.unreadable(path, error)
    }
    let ids = try idsPath.map { try IDList.read($0) }
    if start.starts(with: NPYHeader.magic) { return try NPYFeatures(path: path, ids: ids) }
    if start.starts(with: Array("PK".utf8)) {
      return try NPZFeatures(path: path, array: array, ids: ids)
    }
    // The length of the header, below 2^24, and its first letter.
    if start.count >= 9, start[3..<8].allSatisfy({ $0 == 0 }), start[8] == UInt8(ascii: "{") {
      return try SafetensorsFeatures(path: path, ids: ids)
    }
    if let idsPath {
      throw DatasetError(
        .configuration, path: idsPath,
        "is a list of ids, but '\(path.sanitized(atMost: 200))' is a text file, which has an id in "
          + "each line: leave out --ids")
    }
    return TextFeatures(path: path)
  }

  private static func split(_ location: String) -> (path: String, array: String?) {
    guard FileKind.of(location) == nil, let colon = location.lastIndex(of: ":") else {
      return (location, nil)
    }
    return (String(location[..<colon]), String(location[location.index(after: colon)...]))
  }
}
