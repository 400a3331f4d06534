import Datasets
import Foundation

/// Reads records of delimited fields: CSV with quotes (RFC 4180), TSV and others.
///
/// No field is copied: fields are ranges of the reader's buffer, in which doubled quotes are
/// replaced.
final class DelimitedReader {
  /// More fields than this are counted, but not kept.
  static let mostFields = 4096
  /// A quoted field with more lines has probably lost its closing quote.
  private static let mostLines = 1000
  private static let quote = UInt8(ascii: "\"")

  /// Why the last record is damaged.
  enum Problem: Equatable {
    case unclosedQuote
    case textAfterQuote
  }

  let lines: LineReader
  /// The number of fields of the last record.
  private(set) var fieldCount = 0
  private let delimiter: Delimiter
  private let hasQuotes: Bool
  private var record = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  private struct Bounds {
    var start: Int32
    var end: Int32
    var hasDoubledQuotes: Bool
  }

  private let bounds = UnsafeMutablePointer<Bounds>.allocate(capacity: mostFields)

  /// - Parameter hasQuotes: whether a field that begins with `"` ends with `"`, and may have
  ///   delimiters and line breaks in between.
  init(_ lines: LineReader, delimiter: Delimiter, hasQuotes: Bool) {
    self.lines = lines
    self.delimiter = delimiter
    self.hasQuotes = hasQuotes
  }

  deinit { bounds.deallocate() }

  /// What ``next()`` found.
  enum Step: Equatable {
    case record
    case damaged(Problem)
    case end
  }

  /// Moves to the next record; blank lines are skipped. A damaged record ends with its first line.
  func next() throws(DatasetError) -> Step {
    while let line = try lines.next() {
      guard !line.isEmpty else { continue }
      record = line
      if hasQuotes, let base = line.baseAddress,
        memchr(base, Int32(Self.quote), line.count) != nil
      {
        guard let problem = try splitQuoted() else { return .record }
        lines.rewind()
        return .damaged(problem)
      }
      split()
      return .record
    }
    return .end
  }

  /// A field of the last record, valid until ``next()``; empty if the record has no such field.
  func field(_ index: Int) -> UnsafeRawBufferPointer {
    guard index >= 0, index < min(fieldCount, Self.mostFields) else {
      return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    var found = bounds[index]
    if found.hasDoubledQuotes { found = unescape(index) }
    return UnsafeRawBufferPointer(rebasing: record[Int(found.start)..<Int(found.end)])
  }

  /// Whether the last record has a NUL byte.
  var hasNUL: Bool { record.contains(0) }

  /// All fields of the last record as text.
  var fields: [String] {
    (0..<min(fieldCount, Self.mostFields)).map { String(decoding: field($0), as: UTF8.self) }
  }

  /// Splits a record without quotes.
  private func split() {
    fieldCount = 0
    guard let bytes = record.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    let separator = delimiter.byte
    let count = record.count
    var start = 0
    var index = 0
    while index < count {
      if bytes[index] == separator {
        if !delimiter.isDoubled {
          append(start, index)
          start = index &+ 1
        } else if index &+ 1 < count, bytes[index &+ 1] == separator {
          append(start, index)
          index &+= 1
          start = index &+ 1
        }
      }
      index &+= 1
    }
    append(start, count)
  }

  @inline(__always)
  private func append(_ start: Int, _ end: Int, hasDoubledQuotes: Bool = false) {
    if fieldCount < Self.mostFields {
      bounds[fieldCount] = Bounds(
        start: Int32(truncatingIfNeeded: start), end: Int32(truncatingIfNeeded: end),
        hasDoubledQuotes: hasDoubledQuotes)
    }
    fieldCount &+= 1
  }

  /// Splits a record with quotes, which may have several lines.
  private func splitQuoted() throws(DatasetError) -> Problem? {
    fieldCount = 0
    var lineCount = 1
    var index = 0
    while true {
      if index < record.count, record[index] == Self.quote {
        var hasDoubledQuotes = false
        let start = index + 1
        index = start
        while true {
          guard index < record.count else {
            lineCount += 1
            guard lineCount <= Self.mostLines, let longer = try lines.extend() else {
              return .unclosedQuote
            }
            record = longer
            continue
          }
          if record[index] == Self.quote {
            guard index + 1 < record.count, record[index + 1] == Self.quote else { break }
            hasDoubledQuotes = true
            index += 1
          }
          index += 1
        }
        append(start, index, hasDoubledQuotes: hasDoubledQuotes)
        index += 1
      } else {
        let start = index
        while index < record.count, !isDelimiter(at: index) { index += 1 }
        append(start, index)
      }
      guard index < record.count else { return nil }
      guard isDelimiter(at: index) else { return .textAfterQuote }
      index += delimiter.isDoubled ? 2 : 1
      if index == record.count {
        append(index, index)
        return nil
      }
    }
  }

  private func isDelimiter(at index: Int) -> Bool {
    record[index] == delimiter.byte
      && (!delimiter.isDoubled
        || (index + 1 < record.count && record[index + 1] == delimiter.byte))
  }

  /// Replaces doubled quotes in the buffer, once.
  private func unescape(_ index: Int) -> Bounds {
    var found = bounds[index]
    var target = Int(found.start)
    var source = target
    while source < Int(found.end) {
      record[target] = record[source]
      source += record[source] == Self.quote ? 2 : 1
      target += 1
    }
    found.end = Int32(truncatingIfNeeded: target)
    found.hasDoubledQuotes = false
    bounds[index] = found
    return found
  }
}
