import Datasets
import Tensors

/// The rows of a modality in a disturbed folder: whose each item has, and with how much noise. One
/// row at a time is in memory.
struct DisturbedRows {
  private let feature: SourceFeature
  /// For each item the item whose row it has, `[I]`.
  private let origins: [Int32]
  /// Whether each item has the modality after the exchange, `[I]`.
  private let isPresent: [Bool]
  private let noise: Double?
  private let random: CounterRandom

  /// - Parameters:
  ///   - swapped: items of which each has the features of the next, the last those of the first.
  ///   - isPermuted: whether the rows are permuted over the items that have the modality.
  ///   - noise: the standard deviation of the noise, in that of each column.
  ///   - position: that of the modality among all: noise and permutations differ.
  init(
    _ feature: SourceFeature, swapped: [Int32], isPermuted: Bool, noise: Double?, seed: UInt64,
    position: Int
  ) {
    self.feature = feature
    self.noise = noise
    random = CounterRandom(seed: seed, stream: .featureNoise, step: position)
    var origins = (0..<Int32(feature.matrix.rows)).map { $0 }
    for (index, item) in swapped.enumerated() {
      origins[Int(item)] = swapped[(index + 1) % swapped.count]
    }
    let mask = feature.mask?.isPresent
    let isPresent = origins.map { mask?[Int($0)] ?? true }
    if isPermuted {
      let items = origins.indices.filter { isPresent[$0] }.map { Int32($0) }
      let order = CounterRandom(seed: seed, stream: .exchange, step: position + 1).order(of: items)
      let before = origins
      for (item, other) in zip(items, order) { origins[Int(item)] = before[Int(other)] }
    }
    self.origins = origins
    self.isPresent = isPresent
  }

  /// How many items have the modality.
  var presentCount: Int { isPresent.count { $0 } }

  /// Whether every item has its own row, without noise.
  var isUnchanged: Bool {
    noise == nil && origins.enumerated().allSatisfy { $0.offset == Int($0.element) }
  }

  /// Writes features and mask. Half precision stays half precision; all else becomes `Float`.
  ///
  /// - Throws: ``DatasetError`` if a file cannot be written, or if noise is asked for and a feature
  ///   is not a finite number; what `report` throws.
  func write(to folder: NewFolder, report: StageReport) throws {
    guard !isUnchanged else {
      try FileCopy.all(of: feature.matrix.path, to: folder, report: report)
      if let path = feature.maskPath {
        try FileCopy.all(of: path, to: folder, report: report)
      }
      return
    }
    let matrix = feature.matrix
    let deviations = try noise.map { factor in
      try columnDeviations(report: report).map { Float(factor * $0) }
    }
    let writer = try NPYWriter.begin(
      path: folder.path(of: feature.fileName), rows: matrix.rows, columns: matrix.columns,
      isHalf: matrix.element == .float16)
    var row = [Float](repeating: 0, count: matrix.columns)
    var draws = row
    for item in origins.indices {
      try reportRow(item, "writing", report)
      try row.withUnsafeMutableBufferPointer { row in
        guard let base = row.baseAddress else { return }
        matrix.copyRow(Int(origins[item]), to: base)
        if let deviations, isPresent[item] {
          draws.withUnsafeMutableBufferPointer {
            NormalDistribution.fill($0, random: random, id: item)
          }
          for column in row.indices { row[column] += deviations[column] * draws[column] }
        }
        try writer.append(base, count: 1)
      }
    }
    try writer.finish()
    if let name = feature.maskFileName {
      try FeatureMask(isPresent).write(to: folder.path(of: name))
    }
  }

  /// The standard deviation of each column over the items that have the modality, `[columns]`; the
  /// order of the rows does not matter.
  ///
  /// - Source: Welford, "Note on a Method for Calculating Corrected Sums of Squares and Products",
  ///   Technometrics 1962: one pass, without cancellation.
  private func columnDeviations(report: StageReport) throws -> [Double] {
    let matrix = feature.matrix
    var means = [Double](repeating: 0, count: matrix.columns)
    var squares = means
    var row = [Float](repeating: 0, count: matrix.columns)
    var count = 0.0
    for item in 0..<matrix.rows where feature.mask?.isPresent[item] ?? true {
      try reportRow(item, "measuring", report)
      count += 1
      row.withUnsafeMutableBufferPointer { row in
        if let base = row.baseAddress { matrix.copyRow(item, to: base) }
      }
      for column in row.indices {
        let value = Double(row[column])
        let difference = value - means[column]
        means[column] += difference / count
        squares[column] += difference * (value - means[column])
      }
    }
    if let column = squares.firstIndex(where: { !$0.isFinite }) {
      throw DatasetError(
        .malformed, path: matrix.path,
        "has a value in column \(column) that is not a finite number, so noise cannot be measured "
          + "by that column's spread; check the folder with mrdib data validate")
    }
    return squares.map { count > 0 ? ($0 / count).squareRoot() : 0 }
  }

  private func reportRow(_ item: Int, _ word: String, _ report: StageReport) throws {
    guard item.isMultiple(of: 1 << 10) else { return }
    try report("\(word) \(feature.fileName)", Double(item) / Double(feature.matrix.rows))
  }
}
