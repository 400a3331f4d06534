import Foundation
import Tensors

/// A stored file of numbers under `Tests/Fixtures/golden`.
public struct Golden {
  private let root: [String: Any]

  public init(_ name: String) throws {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent()
      .appendingPathComponent("Fixtures/golden/\(name).json")
    let object = try JSONSerialization.jsonObject(with: Data(contentsOf: url))
    guard let root = object as? [String: Any] else { throw GoldenError(path: name) }
    self.root = root
  }

  private func value(_ path: String) throws -> Any {
    var current: Any = root
    for key in path.split(separator: "/") {
      guard let next = (current as? [String: Any])?[String(key)] else {
        throw GoldenError(path: path)
      }
      current = next
    }
    return current
  }

  /// A number; path components are separated by `/`.
  public func number(_ path: String) throws -> Double {
    guard let number = try value(path) as? NSNumber else { throw GoldenError(path: path) }
    return number.doubleValue
  }

  /// A text.
  public func text(_ path: String) throws -> String {
    guard let text = try value(path) as? String else { throw GoldenError(path: path) }
    return text
  }

  /// The names in an object, ascending.
  public func names(_ path: String) throws -> [String] {
    guard let object = try value(path) as? [String: Any] else { throw GoldenError(path: path) }
    return object.keys.sorted()
  }

  /// A list of numbers.
  public func numbers(_ path: String) throws -> [Double] {
    guard let list = try value(path) as? [NSNumber] else { throw GoldenError(path: path) }
    return list.map(\.doubleValue)
  }

  public func integers(_ path: String) throws -> [Int32] { try numbers(path).map { Int32($0) } }

  /// Lists of numbers in a list.
  public func rows(_ path: String) throws -> [[Double]] {
    guard let list = try value(path) as? [[NSNumber]] else { throw GoldenError(path: path) }
    return list.map { $0.map(\.doubleValue) }
  }

  /// An array with a shape; a vector becomes one row, and further axes become columns.
  public func matrix(_ path: String) throws -> Matrix {
    guard let array = try value(path) as? [String: Any], let shape = array["shape"] as? [Int],
      let data = array["data"] as? [NSNumber]
    else { throw GoldenError(path: path) }
    let rows = shape.count > 1 ? shape[0] : 1
    return Matrix(
      rows: rows, columns: data.count / max(1, rows), elements: data.map { Float(truncating: $0) })
  }

  /// A sparse matrix.
  public func sparse(_ path: String) throws -> SparseMatrix {
    let shape = try integers("\(path)/shape")
    let rows = try integers("\(path)/row")
    let columns = try integers("\(path)/col")
    let values = try numbers("\(path)/val")
    return SparseMatrix(
      rows: Int(shape[0]), columns: Int(shape[1]),
      entries: rows.indices.map { (rows[$0], columns[$0], Float(values[$0])) })
  }
}

public struct GoldenError: Error {
  public let path: String
}

/// The largest difference of two lists relative to the largest stored magnitude.
///
/// Elements that should be (nearly) zero are compared at the scale of the whole array, because sums
/// of large terms may cancel.
public func relativeDifference(_ found: some Sequence<Float>, _ stored: some Sequence<Float>)
  -> Double
{
  var largest = 1e-30
  var difference = 0.0
  for (left, right) in zip(found, stored) {
    largest = max(largest, abs(Double(right)))
    let distance = abs(Double(left) - Double(right))
    difference = distance.isFinite ? max(difference, distance) : .infinity
  }
  return difference / largest
}

/// ``relativeDifference(_:_:)`` of two matrices; infinite when shapes differ or one is missing.
public func relativeDifference(_ found: Matrix?, _ stored: Matrix) -> Double {
  guard let found, found.hasSameShape(as: stored) else { return .infinity }
  return relativeDifference(found.elements, stored.elements)
}
