import Datasets
import TestSupport
import Testing

@Suite("npy files")
struct NPYFileTests {
  @Test(
    "every number format, byte order and array order that numpy writes gives the same matrix",
    arguments: [
      "f2_c", "f2_fortran", "f2_big_endian", "f4_c", "f4_fortran", "f4_big_endian", "f4_version2",
      "f4_version3", "f8_c", "f8_fortran", "f8_big_endian", "f8_big_endian_fortran",
    ])
  func readsWhatNumpyWrites(name: String) throws {
    let file = try NPYFile(path: Fixture.npy(name))
    #expect(file.rows == 3 && file.columns == 4)
    for row in 0..<3 {
      // Compared as bits: −0 is not 0 here.
      #expect(read(row, of: file).map(\.bitPattern) == Fixture.matrix[row].map(\.bitPattern))
    }
  }

  @Test("half-precision infinities, NaN and subnormals keep their meaning")
  func halfPrecisionExtremes() throws {
    let folder = try TemporaryFolder(name: "data")
    let halves: [UInt16] = [0x7C00, 0xFC00, 0x7E01, 0x0001, 0x83FF, 0x0400, 0x3C01, 0x8000]
    let payload = halves.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    let path = try folder.write(
      npy("{'descr': '<f2', 'fortran_order': False, 'shape': (1, 8), }", payload), to: "x.npy")
    let values = read(0, of: try NPYFile(path: path))
    #expect(values[0] == .infinity && values[1] == -.infinity && values[2].isNaN)
    #expect(values[3] == 0x1p-24 && values[4] == -1023 * 0x1p-24 && values[5] == 0x1p-14)
    #expect(values[6] == 1 + 0x1p-10 && values[7] == 0 && values[7].sign == .minus)
  }

  @Test(
    "all half-precision numbers have the same bits in rows, which are vectorised, as in columns")
  func everyHalfPrecisionNumber() {
    let bytes = [0] + (0...UInt16.max).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    var rows = [Float](repeating: 0, count: 1 << 16)
    var numbers = rows
    bytes.withUnsafeBytes { bytes in
      let halves = UnsafeRawBufferPointer(rebasing: bytes[1...])
      NPYElement.float16.convert(halves, count: 1 << 16, to: &rows)
      for first in numbers.indices {
        // One number with any stride is converted by itself.
        NPYElement.float16.convert(halves, first: first, stride: 2, count: 1, to: &numbers[first])
      }
    }
    #expect(rows.map(\.bitPattern) == numbers.map(\.bitPattern))
  }

  @Test("numbers may begin at any byte", arguments: 0..<8)
  func readsUnalignedNumbers(padding: Int) throws {
    let folder = try TemporaryFolder(name: "data")
    let text =
      "{\"shape\":(2,1,),'fortran_order':False,'descr':'<f4'}"
      + String(repeating: " ", count: padding)
    let path = try folder.write(npy(text, [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0]), to: "x.npy")
    let file = try NPYFile(path: path)
    #expect(read(0, of: file) == [1] && read(1, of: file) == [-2])
  }

  @Test("pickled objects are refused with the line of Python that converts them")
  func refusesObjects() {
    let error = problem { try NPYFile(path: Fixture.npy("objects")) }
    expect(error, says: "objects.npy", "pickled Python objects", "allow_pickle=True", "np.stack")
  }

  @Test(
    "anything but a matrix of floating point numbers is refused with advice",
    arguments: [
      ("integers", "'<i4'", "astype('float32')"),
      ("one_dimension", "shape (4)", "items × columns"),
      ("three_dimensions", "shape (3, 2, 2)", "reshape(len(x), -1)"),
      ("no_rows", "shape (0, 4)", "no features"),
      ("records", "named fields", "np.save"),
    ])
  func refusesOtherArrays(name: String, found: String, advice: String) {
    let error = problem { try NPYFile(path: Fixture.npy(name)) }
    #expect(error.kind == .malformed)
    expect(error, says: "\(name).npy", found, advice)
  }

  @Test(
    "a file that is cut off anywhere is refused", arguments: ["f4_c", "f8_fortran", "f4_version2"])
  func refusesTruncatedFiles(name: String) throws {
    let folder = try TemporaryFolder(name: "data")
    let whole = try bytes(of: name)
    for count in 0..<whole.count {
      let path = try folder.write(Array(whole[..<count]), to: "cut.npy")
      let error = problem { try NPYFile(path: path) }
      #expect(error.kind == .malformed && error.path == path)
      if count >= 128 { expect(error, says: "3 × 4 numbers", "\(count - 128) bytes", "cut off") }
    }
  }

  @Test("text quoted from a header is short and made safe for a terminal")
  func quotesHarmlessly() throws {
    let folder = try TemporaryFolder(name: "data")
    let long = String(repeating: "1, ", count: 9000)
    let objects = String(repeating: "x", count: 9000) + "O"
    for header in [
      "{'a\u{1B}[2J' 1}", "{'\u{1B}': 1, '\u{1B}': 2}",
      "{'descr': '\u{1B}[2JO', 'fortran_order': False, 'shape': (1, 1)}",
      "{'descr': '\(objects)', 'fortran_order': False, 'shape': (1, 1)}",
      "{'descr': '\u{1B}', 'fortran_order': False, 'shape': (1, 1)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (\(long))}",
    ] {
      let path = try folder.write(npy(header, [0, 0, 0, 0]), to: "x.npy")
      let message = problem { try NPYFile(path: path) }.message
      #expect(message.utf8.allSatisfy { $0 >= 0x20 } && message.count < 400, "\(message)")
    }
  }

  @Test("bytes after the numbers are refused")
  func refusesTrailingBytes() throws {
    let folder = try TemporaryFolder(name: "data")
    let path = try folder.write(bytes(of: "f4_c") + [0, 0, 0], to: "long.npy")
    expect(problem { try NPYFile(path: path) }, says: "3 bytes after", "np.save")
  }

  @Test(
    "an invalid header is refused with the reason",
    arguments: [
      ("", "the text ends where a value is expected"),
      ("{'descr': '<f4', 'fortran_order': False}", "without 'descr', 'fortran_order'"),
      ("{'descr': '<f4', 'fortran_order': 0, 'shape': (1, 1)}", "True or False"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1, -1)}", "whole numbers from 0"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 99999999999999999999)}", "64 bits"),
      ("{'descr': '<f4', 'descr': '<f4'}", "the key 'descr' occurs a second time"),
      ("{'descr': '<f4'", "neither ',' nor '}'"),
      ("{'descr", "closing quote"),
      ("(1, 2) 3", "follows the end"),
      (String(repeating: "(", count: 5000), "nested too deeply"),
      (
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}",
        "4611686018427387904 × 4 numbers"
      ),
      (
        "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 0)}", "no features"
      ),
    ])
  func refusesBrokenHeaders(text: String, says part: String) throws {
    let folder = try TemporaryFolder(name: "data")
    let path = try folder.write(npy(text, [0, 0, 0, 0]), to: "x.npy")
    let error = problem { try NPYFile(path: path) }
    #expect(error.kind == .malformed)
    expect(error, says: "x.npy", part)
  }

  @Test("a missing file, a folder and an unknown version are distinguished")
  func refusesOtherThings() throws {
    let folder = try TemporaryFolder(name: "data")
    #expect(problem { try NPYFile(path: folder.path("none.npy")) }.kind == .notFound)
    expect(problem { try NPYFile(path: folder.path) }, says: "it is a folder, not a regular file")
    let path = try folder.write([0x93] + Array("NUMPY".utf8) + [9, 1, 0, 0], to: "x.npy")
    expect(problem { try NPYFile(path: path) }, says: "version 9.1")
  }

  @Test("flipped bits give an error or numbers, never a crash")
  func survivesFlippedBits() throws {
    let folder = try TemporaryFolder(name: "data")
    var random = SeededGenerator(seed: 7)
    var refused = 0
    for name in ["f2_c", "f4_c", "f8_fortran", "f4_version2", "records", "objects"] {
      let whole = try bytes(of: name)
      for _ in 0..<500 {
        var damaged = whole
        for _ in 0...random.below(3) {
          damaged[random.below(min(140, damaged.count))] ^= 1 << random.below(8)
        }
        let path = try folder.write(damaged, to: "damaged.npy")
        do {
          let file = try NPYFile(path: path)
          for row in 0..<file.rows { _ = read(row, of: file) }
        } catch {
          refused += 1
        }
      }
    }
    #expect(refused > 1000)
  }

  private func bytes(of name: String) throws -> [UInt8] {
    try TemporaryFolder.contents(of: Fixture.npy(name))
  }

  private func read(_ row: Int, of file: NPYFile) -> [Float] {
    [Float](unsafeUninitializedCapacity: file.columns) { buffer, count in
      if let base = buffer.baseAddress { file.copyRow(row, to: base) }
      count = file.columns
    }
  }

  /// A file of version 1 with any header.
}
