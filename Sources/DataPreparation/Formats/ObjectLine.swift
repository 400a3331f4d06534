import CJansson
import Datasets
import Files
import Foundation

/// A line with one object: JSON, or a dictionary as Python prints it.
final class ObjectLine {
  private enum Object {
    case none
    case json(UnsafeMutablePointer<json_t>)
    case python([String: PythonLiteral])
  }

  private var object = Object.none

  deinit { release() }

  private func release() {
    if case .json(let value) = object { json_decref(value) }
    object = .none
  }

  /// Reads a line.
  ///
  /// - Returns: why it is no object; nil if it is one.
  func read(_ line: UnsafeRawBufferPointer) -> String? {
    release()
    let space: Set<UInt8> = [0x20, 0x09]
    guard let start = line.firstIndex(where: { !space.contains($0) }) else { return "it is blank" }
    guard line[start] == UInt8(ascii: "{") else { return "it does not begin with '{'" }
    let second = line[(start + 1)...].first { !space.contains($0) }
    if second == UInt8(ascii: "'") || second == UInt8(ascii: "u") { return readPython(line) }
    var error = json_error_t()
    guard
      let value = json_loadb(
        line.baseAddress?.assumingMemoryBound(to: CChar.self), line.count, 0, &error)
    else {
      let reason = withUnsafeBytes(of: error.text) { text in
        String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard isUTF8(line) else { return "it is not UTF-8 text; \(TextEncoding.advice)" }
      return "\(reason) (near column \(error.column))"
    }
    object = .json(value)
    return nil
  }

  private func readPython(_ line: UnsafeRawBufferPointer) -> String? {
    guard isUTF8(line) else { return "it is not UTF-8 text; \(TextEncoding.advice)" }
    do {
      guard case .dictionary(let entries) = try PythonLiteral.parse(Array(line), dialect: .data)
      else { return "it is no dictionary" }
      object = .python(entries)
      return nil
    } catch {
      return "\(error.message) (at byte \(error.position + 1))"
    }
  }

  /// The keys, in the order of the line for JSON, sorted for Python.
  var keys: [String] {
    switch object {
    case .none: return []
    case .python(let entries): return entries.keys.sorted()
    case .json(let value):
      var keys: [String] = []
      var iterator = json_object_iter(value)
      while let current = iterator {
        if let key = json_object_iter_key(current) { keys.append(String(cString: key)) }
        iterator = json_object_iter_next(value, current)
      }
      return keys
    }
  }

  /// A plain value, put into `storage` unless it is JSON text; empty if it is null. Valid until the
  /// next ``read(_:)``.
  ///
  /// - Returns: nil if there is no such key, or its value is a list or an object.
  func text(_ key: Key, storage: ValueStorage) -> UnsafeRawBufferPointer? {
    switch object {
    case .none: return nil
    case .json(let object):
      guard let value = json_object_getn(object, key.bytes, key.count) else { return nil }
      switch value.pointee.type {
      case JSON_STRING:
        return UnsafeRawBufferPointer(
          start: json_string_value(value), count: json_string_length(value))
      case JSON_INTEGER: return storage.keep("\(json_integer_value(value))")
      case JSON_REAL: return storage.keep("\(json_real_value(value))")
      case JSON_TRUE: return storage.keep("true")
      case JSON_FALSE: return storage.keep("false")
      case JSON_NULL: return UnsafeRawBufferPointer(start: nil, count: 0)
      default: return nil
      }
    case .python(let entries):
      switch entries[key.name] {
      case .string(let text): return storage.keep(text)
      case .integer(let number): return storage.keep("\(number)")
      case .real(let number): return storage.keep("\(number)")
      case .boolean(let flag): return storage.keep(flag ? "true" : "false")
      case .some(.none): return UnsafeRawBufferPointer(start: nil, count: 0)
      default: return nil
      }
    }
  }

  /// Whether there is a key.
  func has(_ key: Key) -> Bool {
    switch object {
    case .none: false
    case .json(let object): json_object_getn(object, key.bytes, key.count) != nil
    case .python(let entries): entries[key.name] != nil
    }
  }

  /// Whether a value can be an id: a text or a whole number.
  func isID(_ key: Key) -> Bool {
    switch object {
    case .none: return false
    case .json(let object):
      let type = json_object_getn(object, key.bytes, key.count)?.pointee.type
      return type == JSON_STRING || type == JSON_INTEGER
    case .python(let entries):
      switch entries[key.name] {
      case .string, .integer: return true
      default: return false
      }
    }
  }

  /// Appends the numbers of a list.
  ///
  /// - Returns: the problem with the value, as the rest of a sentence whose subject is the line;
  ///   nil if it was read.
  func numbers(_ key: Key, atMost limit: Int, into values: inout [Float]) -> String? {
    let noList = "has no list of numbers called '\(key.name)'"
    let tooMany = "has more than the \(limit) values that can be read"
    let other = { (index: Int) in "has something else than a number as value \(index + 1)" }
    switch object {
    case .none: return noList
    case .json(let object):
      guard let list = json_object_getn(object, key.bytes, key.count),
        list.pointee.type == JSON_ARRAY
      else { return noList }
      let count = json_array_size(list)
      guard count <= limit else { return tooMany }
      for index in 0..<count {
        guard let value = json_array_get(list, index),
          value.pointee.type == JSON_INTEGER || value.pointee.type == JSON_REAL
        else { return other(index) }
        values.append(Float(json_number_value(value)))
      }
    case .python(let entries):
      guard case .sequence(let list)? = entries[key.name] else { return noList }
      guard list.count <= limit else { return tooMany }
      for (index, value) in list.enumerated() {
        switch value {
        case .integer(let number): values.append(Float(number))
        case .real(let number): values.append(Float(number))
        default: return other(index)
        }
      }
    }
    return nil
  }

  /// All texts of a value: itself, or those of a list, also of a list of lists.
  func texts(_ key: Key) -> [String] {
    var found: [String] = []
    switch object {
    case .none: break
    case .json(let object):
      if let value = json_object_getn(object, key.bytes, key.count) {
        Self.collect(value, depth: 0, into: &found)
      }
    case .python(let entries): entries[key.name].map { Self.collect($0, into: &found) }
    }
    return found
  }

  private static func collect(
    _ value: UnsafeMutablePointer<json_t>, depth: Int, into found: inout [String]
  ) {
    switch value.pointee.type {
    case JSON_STRING:
      found.append(
        String(
          decoding: UnsafeRawBufferPointer(
            start: json_string_value(value), count: json_string_length(value)), as: UTF8.self))
    case JSON_ARRAY where depth < 4:
      for index in 0..<json_array_size(value) {
        if let element = json_array_get(value, index) {
          collect(element, depth: depth + 1, into: &found)
        }
      }
    default: break
    }
  }

  private static func collect(_ value: PythonLiteral, into found: inout [String]) {
    switch value {
    case .string(let text): found.append(text)
    case .sequence(let elements): for element in elements { collect(element, into: &found) }
    default: break
    }
  }

  /// The name of a key, in the form that the library needs.
  final class Key {
    let name: String
    let bytes: UnsafeMutablePointer<CChar>
    let count: Int

    init(_ name: String) {
      self.name = name
      count = name.utf8.count
      bytes = .allocate(capacity: count + 1)
      for (index, byte) in name.utf8.enumerated() { bytes[index] = CChar(bitPattern: byte) }
      bytes[count] = 0
    }

    deinit { bytes.deallocate() }
  }

  /// Keeps the bytes of a value that is not a text in the line.
  final class ValueStorage {
    private var bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 8)

    deinit { bytes.deallocate() }

    fileprivate func keep(_ text: String) -> UnsafeRawBufferPointer {
      var text = text
      return text.withUTF8 { source in
        if source.count > bytes.count {
          bytes.deallocate()
          bytes = .allocate(byteCount: 2 * source.count, alignment: 8)
        }
        bytes.copyBytes(from: source)
        return UnsafeRawBufferPointer(rebasing: bytes[..<source.count])
      }
    }
  }
}
