import Datasets
import Tensors
import TestSupport
import Testing

@Suite("feature matrices")
struct FeatureMatrixTests {
  @Test(
    "rows are gathered in the requested order, with repetitions", arguments: [true, false])
  func gathersRows(fromFile: Bool) throws {
    let folder = try TemporaryFolder(name: "data")
    let matrix = SmallData.features(rows: 4, columns: 3)
    var features = try FeatureMatrix(name: "visual", matrix: matrix)
    if fromFile {
      try NPYWriter.write(matrix, to: folder.path("x.npy"))
      features = try FeatureMatrix(
        name: "visual", file: NPYFile(path: folder.path("x.npy")))
    }
    #expect(features.rows == 4 && features.columns == 3)
    let gathered = Matrix(rows: 3, columns: 3)
    features.gather([2, 0, 2], into: gathered.pointer)
    #expect(Array(gathered.elements) == [7, 8, 9, 1, 2, 3, 7, 8, 9])
  }

  @Test("a value whose square overflows 32-bit floats is named by row, column and value")
  func namesHugeValues() throws {
    let matrix = SmallData.features(rows: 3, columns: 2)
    matrix[2, 1] = -1e30
    let error = problem { try FeatureMatrix(name: "visual", matrix: matrix) }
    expect(error, says: "row 2, column 1", "-1e+30", "scale the features")
    matrix[2, 1] = -1e12
    #expect(try FeatureMatrix(name: "visual", matrix: matrix).largestMagnitude == 1e12)
  }

  @Test("a value that is not finite is named by row and column", arguments: [Float.nan, .infinity])
  func namesNonFiniteValues(value: Float) throws {
    let folder = try TemporaryFolder(name: "data")
    let matrix = SmallData.features(rows: 5, columns: 33)
    matrix[3, 32] = value
    try NPYWriter.write(matrix, to: folder.path("x.npy"))
    let error = problem {
      try FeatureMatrix(name: "visual", file: NPYFile(path: folder.path("x.npy")))
    }
    expect(error, says: "x.npy", "row 3, column 32", "\(value)")
    expect(
      problem { try FeatureMatrix(name: "visual", matrix: matrix) }, says: "row 3, column 32")
  }

  @Test("rows of zeros are counted, minus zero included")
  func countsZeroRows() throws {
    let matrix = SmallData.features(rows: 4, columns: 2)
    matrix.row(1).update(repeating: 0)
    matrix.row(3).update(repeating: -0.0)
    #expect(try FeatureMatrix(name: "text", matrix: matrix).zeroRowCount == 2)
  }
}
