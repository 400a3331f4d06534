internal import CKernels
import Files
import Tensors

/// A two-dimensional array of floating point numbers in an npy file, mapped: opening it reads
/// the header only, and rows are converted to `Float` as they are copied out.
///
/// Reads format versions 1, 2 and 3; `f2`, `f4` and `f8` in either byte order; C and Fortran
/// order. Anything else is refused with the line of Python that converts it.
public final class NPYFile: Sendable {
  public let path: String
  public let rows: Int
  public let columns: Int
  public let element: NPYElement
  /// Whether columns rather than rows lie together: a row then costs one cache line per column.
  public let isFortranOrder: Bool
  public let isBigEndian: Bool
  private let mapping: MappedFile
  /// Where the numbers begin in the file.
  package let payloadOffset: Int

  /// - Throws: ``DatasetError`` if the file cannot be read, is damaged or cut off, or holds
  ///   anything but a non-empty matrix of floating point numbers.
  public init(path: String) throws(DatasetError) {
    mapping = try MappedFile(path: path)
    self.path = path
    let header = try NPYHeader.parse(mapping.bytes, path: path)
    (element, isBigEndian) = try Self.elementType(header.descriptor, path: path)
    isFortranOrder = header.isFortranOrder
    guard header.shape.count == 2 else {
      throw DatasetError(
        .malformed, path: path,
        "has shape \(header.shapeText), but features are a "
          + "matrix of items × columns: x = np.load(file); np.save(file, x.reshape(len(x), -1))")
    }
    rows = header.shape[0]
    columns = header.shape[1]
    payloadOffset = header.payloadOffset
    guard rows > 0 && columns > 0 else {
      throw DatasetError(
        .malformed, path: path, "has shape (\(rows), \(columns)): there are no features in it")
    }
    let (count, countOverflow) = rows.multipliedReportingOverflow(by: columns)
    let (expected, sizeOverflow) = count.multipliedReportingOverflow(by: element.byteCount)
    let found = mapping.bytes.count - payloadOffset
    guard !countOverflow && !sizeOverflow && expected <= found else {
      throw DatasetError(
        .malformed, path: path,
        "declares \(rows) × \(columns) numbers of \(element.byteCount) bytes, but only \(found) "
          + "bytes follow the header: the file was cut off; copy or export it again")
    }
    guard expected == found else {
      throw DatasetError(
        .malformed, path: path,
        "has \(found - expected) bytes after its \(rows) × \(columns) numbers: the header or the "
          + "data is damaged; export it again with np.save")
    }
  }

  /// The stamp of the file when it was opened.
  var stamp: FileStamp { mapping.stamp }

  /// A digest of at most 1 MiB, sampled from the whole file.
  var sampleDigest: String {
    let (blockCount, blockByteCount) = (64, 16 << 10)
    let bytes = mapping.bytes
    var digest = ContentDigest()
    guard bytes.count > blockCount * blockByteCount else {
      digest.combine(bytes)
      return digest.text
    }
    let stride = (bytes.count - blockByteCount) / (blockCount - 1)
    for block in 0..<blockCount {
      let start = block * stride
      digest.combine(
        UnsafeRawBufferPointer(rebasing: bytes[start..<start + blockByteCount]))
    }
    return digest.text
  }

  /// The numbers as they lie in the file.
  var payload: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: mapping.bytes[payloadOffset...])
  }

  /// Copies one row, `[columns]`, as `Float`; numbers beyond its range become infinite.
  ///
  /// - Precondition: `0 <= row < rows`, and `destination` has room for a row.
  public func copyRow(_ row: Int, to destination: UnsafeMutablePointer<Float>) {
    precondition(row >= 0 && row < rows, "row \(row) of \(path), which has \(rows)")
    switch element {
    case .float32 where !isFortranOrder && !isBigEndian:
      let rowByteCount = columns * 4
      UnsafeMutableRawBufferPointer(start: destination, count: rowByteCount)
        .copyMemory(
          from: UnsafeRawBufferPointer(
            rebasing: payload[row * rowByteCount..<(row + 1) * rowByteCount]))
    default:
      let (first, stride) = isFortranOrder ? (row, rows) : (row * columns, 1)
      element.convert(
        payload, first: first, stride: stride, count: columns, isBigEndian: isBigEndian,
        to: destination)
    }
  }

  /// Prefetches a row that will be copied soon. A column-wise file has no rows to prefetch.
  ///
  /// - Precondition: `0 <= row < rows`.
  func prefetchRow(_ row: Int) {
    precondition(row >= 0 && row < rows, "row \(row) of \(path), which has \(rows)")
    guard !isFortranOrder, let base = payload.baseAddress else { return }
    let rowByteCount = columns * element.byteCount
    mrdib_prefetch_for_reading(base + row * rowByteCount, rowByteCount)
  }

  /// The type of numbers that a header names.
  ///
  /// - Throws: ``DatasetError`` for anything but floating point numbers.
  package static func elementType(
    _ descriptor: String?, path: String
  ) throws(DatasetError) -> (NPYElement, isBigEndian: Bool) {
    guard let descriptor else {
      throw DatasetError(
        .malformed, path: path,
        "holds records with named fields, but features are a plain matrix: save the field that "
          + "holds the vectors with np.save")
    }
    if descriptor.hasSuffix("O") {
      throw DatasetError(
        .malformed, path: path,
        "holds pickled Python objects ('\(descriptor.sanitized(atMost: 16))'), which only Python "
          + "can read; convert it: x = np.load(file, allow_pickle=True); "
          + "np.save(file, np.stack([np.asarray(v, dtype='float32') for v in x]))")
    }
    guard let order = descriptor.first, "<>=".contains(order),
      let element = NPYElement(rawValue: String(descriptor.dropFirst()))
    else {
      throw DatasetError(
        .malformed, path: path,
        "holds numbers of type '\(descriptor.sanitized(atMost: 16))'; features may be f2, f4 or "
          + "f8: np.save(file, np.load(file).astype('float32'))")
    }
    return (element, isBigEndian: order == ">")
  }
}
