import Datasets
import Files

/// Features in a text with one item per line: an id and its numbers (CSV, TSV, blanks), or JSON
/// objects. Plain, or packed with gzip or zstd.
final class TextFeatures: FeatureSource {
  let path: String

  /// Reads the rows of one of the formats.
  protocol LineFormat {
    /// - Parameter values: receives the numbers of the line.
    /// - Returns: the id, valid until the next call; nil for a header.
    mutating func read(
      _ line: UnsafeMutableRawBufferPointer, number: Int, into values: inout [Float]
    ) throws(DatasetError) -> UnsafeRawBufferPointer?
  }

  init(path: String) { self.path = path }

  func read(_ take: (FeatureRow) throws -> Void) throws {
    var share = 0.0
    let lines = try LineReader(path: path) { stream in
      share = Double(stream.filePosition) / Double(max(stream.fileSize, 1))
    }
    let isJSON = lines.beginning.first { $0 != UInt8(ascii: " ") } == UInt8(ascii: "{")
    var format: any LineFormat =
      isJSON
      ? JSONFeatureLine(path: path) : DelimitedFeatureLine(path: path, beginning: lines.beginning)
    var values: [Float] = []
    while let line = try lines.next() {
      guard !line.isEmpty else { continue }
      values.removeAll(keepingCapacity: true)
      let number = lines.lineNumber
      guard let id = try format.read(line, number: number, into: &values) else { continue }
      let place = FeaturePlace.line(number)
      guard !id.isEmpty else { throw place.error(path, "has no id") }
      try values.withUnsafeBufferPointer {
        try take(FeatureRow(id: id, place: place, values: $0, share: share))
      }
    }
  }
}
