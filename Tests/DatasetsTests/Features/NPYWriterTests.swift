import Datasets
import Tensors
import TestSupport
import Testing

@Suite("npy writing")
struct NPYWriterTests {
  @Test("a matrix is written byte for byte as numpy writes it")
  func writesWhatNumpyWrites() throws {
    let folder = try TemporaryFolder(name: "data")
    let matrix = Matrix(rows: 3, columns: 4, elements: Fixture.matrix.flatMap { $0 })
    try NPYWriter.write(matrix, to: folder.path("x.npy"))
    #expect(try folder.read("x.npy") == TemporaryFolder.contents(of: Fixture.npy("f4_c")))
  }

  @Test("rows that are appended piece by piece give the same file")
  func appendsRows() throws {
    let folder = try TemporaryFolder(name: "data")
    let matrix = Matrix(rows: 3, columns: 4, elements: Fixture.matrix.flatMap { $0 })
    let writer = try NPYWriter.begin(path: folder.path("x.npy"), rows: 3, columns: 4)
    try writer.append(matrix.pointer, count: 1)
    #expect(try !folder.files.contains("x.npy"), "an unfinished file has its name already")
    try writer.append(matrix.pointer + 4, count: 2)
    try writer.finish()
    #expect(try folder.read("x.npy") == TemporaryFolder.contents(of: Fixture.npy("f4_c")))
    #expect(try folder.files == ["x.npy"])
  }

  #if canImport(Glibc)
    @Test("a file that has its final name keeps it after a power loss: its folder is on disk")
    func lasts() throws {
      let folder = try TemporaryFolder(name: "data")
      let watch = try FolderWatch(folder.path(""))
      try NPYWriter.write(Matrix(rows: 1, columns: 1, elements: [1]), to: folder.path("x.npy"))
      #expect(watch.events() == [.named("x.npy"), .opened("")])
    }
  #endif

  @Test("an abandoned file leaves nothing behind, and the old file unchanged")
  func abandonsQuietly() throws {
    let folder = try TemporaryFolder(name: "data")
    try folder.write("old", to: "x.npy")
    do {
      let writer = try NPYWriter.begin(path: folder.path("x.npy"), rows: 2, columns: 1)
      try writer.append([1], count: 1)
    }
    #expect(try folder.files == ["x.npy"])
    #expect(try folder.read("x.npy") == Array("old".utf8))
  }

  @Test("a missing folder is an error that names the file")
  func namesTheFile() {
    let error = problem { try NPYWriter.begin(path: "/nowhere/at/all.npy", rows: 1, columns: 1) }
    #expect(error.kind == .unwritable)
    expect(error, says: "/nowhere/at/all.npy", "cannot be written")
  }
}
