import Files
internal import Foundation
import Tensors

/// The precomputed most similar items of every item, `[I, k]`.
///
/// Some published data sets include them, in the folder of the features and under the features'
/// name with `_knn` and k in place of `_feat`: `image_knn10.npy` belongs to `image_feat.npy`.
/// Graphs of k neighbours use them instead of comparing all items.
public struct NeighbourLists: Sendable, Equatable {
  /// The file, or what the lists are called in messages.
  public let path: String
  /// I.
  public let itemCount: Int
  /// k, how many neighbours every item has. An item may be among its own.
  public let count: Int
  private let items: [Int32]

  /// Far above any k in use; a larger one means that the file does not hold neighbours.
  static let maximumCount = 4096

  /// - Parameter items: the neighbours of all items, `[I, k]` row by row, in any order of a row.
  /// - Throws: ``DatasetError`` of kind `inconsistent` that names the first item whose list holds
  ///   an unknown item, or one twice.
  /// - Precondition: `count > 0`, and `items` has a multiple of `count` elements.
  public init(path: String, count: Int, items: [Int32]) throws(DatasetError) {
    precondition(count > 0 && items.count.isMultiple(of: count), "\(items.count) of \(count)")
    self.path = path
    self.count = count
    self.items = items
    itemCount = items.count / count
    for item in 0..<itemCount {
      let list = self[item].sorted()
      if let unknown = list.first(where: { $0 < 0 || $0 >= itemCount }) {
        throw DatasetError(
          .inconsistent, path: path,
          "row \(item) names item \(unknown), but items run from 0 to \(itemCount - 1): row "
            + "numbers and entries are item ids; compute the neighbours again, or remove the file")
      }
      for (first, second) in zip(list, list.dropFirst()) where first == second {
        throw DatasetError(
          .inconsistent, path: path,
          "row \(item) names item \(first) twice, but a row lists \(count) different items: "
            + "compute the neighbours again, or remove the file")
      }
    }
  }

  /// The neighbours of an item, in the order of the file, `[k]`.
  public subscript(item: Int) -> ArraySlice<Int32> { items[item * count..<(item + 1) * count] }

  /// Adds k and the lists.
  func fold(into digest: inout ContentDigest) {
    digest.combine("neighbours")
    digest.combine(count)
    digest.combine(items)
  }
}

extension NeighbourLists {
  /// The lists of a feature file, by ascending k; none if the file's name does not end with
  /// `_feat.npy`.
  ///
  /// - Throws: ``DatasetError`` if one of them cannot be read, is damaged, or is not about
  ///   `itemCount` items.
  static func readAll(
    forFeatures featurePath: String, itemCount: Int
  ) throws(DatasetError) -> [NeighbourLists] {
    var lists: [NeighbourLists] = []
    for (count, file) in files(forFeatures: featurePath) {
      lists.append(try read(file, itemCount: itemCount, count: count))
    }
    return lists
  }

  /// The paths of the lists of a feature file, by ascending k.
  package static func files(
    forFeatures featurePath: String
  ) -> [(count: Int, path: String)] {
    let name = (featurePath as NSString).lastPathComponent
    guard name.hasSuffix(ModalityDescription.fileSuffix) else { return [] }
    let prefix = name.dropLast(ModalityDescription.fileSuffix.count) + "_knn"
    let folder = (featurePath as NSString).deletingLastPathComponent
    let path = folder.isEmpty ? "." : folder
    let files = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    let counts = files.compactMap { file -> Int? in
      guard file.hasPrefix(prefix), file.hasSuffix(".npy") else { return nil }
      // Only the plain spelling of a number, so that each k has one file.
      let digits = file.dropFirst(prefix.count).dropLast(".npy".count)
      return Int(digits).flatMap { String($0) == digits && $0 > 0 ? $0 : nil }
    }
    return counts.sorted().map {
      ($0, (folder as NSString).appendingPathComponent("\(prefix)\($0).npy"))
    }
  }

  /// Reads whole numbers of 4 or 8 bytes, in C order.
  package static func read(
    _ path: String, itemCount: Int, count: Int
  ) throws(DatasetError) -> NeighbourLists {
    let bytes = try MappedFile(path: path)
    let header = try NPYHeader.parse(bytes.bytes, path: path)
    let widths = ["<i4": 4, "<u4": 4, "<i8": 8, "<u8": 8]
    guard let descriptor = header.descriptor, let width = widths[descriptor],
      !header.isFortranOrder
    else {
      let found = header.descriptor?.sanitized(atMost: 16) ?? "records"
      throw DatasetError(
        .malformed, path: path,
        "does not hold whole numbers of 4 or 8 bytes in C order (\(found)): "
          + "np.save(file, np.ascontiguousarray(np.load(file), dtype='<i4'))")
    }
    guard header.shape == [itemCount, count], count <= maximumCount else {
      throw DatasetError(
        .inconsistent, path: path,
        "has shape \(header.shapeText), but its name and the feature file require "
          + "\(count) neighbours (at most \(maximumCount)) for each of \(itemCount) items: "
          + "compute the neighbours again, or remove the file")
    }
    let payload = UnsafeRawBufferPointer(rebasing: bytes.bytes[header.payloadOffset...])
    let elementCount = itemCount * count
    guard payload.count == elementCount * width else {
      throw DatasetError(
        .malformed, path: path,
        "has \(payload.count) bytes of numbers where \(elementCount * width) were expected: the "
          + "file is damaged; copy it again, or remove it")
    }
    var items: [Int32] = []
    items.reserveCapacity(elementCount)
    for position in 0..<elementCount {
      let offset = position * width
      let number =
        width == 4
        ? Int64(Int32(littleEndian: payload.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
        : Int64(littleEndian: payload.loadUnaligned(fromByteOffset: offset, as: Int64.self))
      // A number beyond 32 bits is not an item; the initializer reports -1 with its row.
      items.append(Int32(exactly: number) ?? -1)
    }
    return try NeighbourLists(path: path, count: count, items: items)
  }
}
