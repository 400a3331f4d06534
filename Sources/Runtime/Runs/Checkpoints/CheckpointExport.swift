import Checkpoints
import Datasets

/// Writes the parameters of a checkpoint for other programs.
package struct CheckpointExport: Sendable {
  /// The folder of the checkpoint.
  package let checkpoint: String
  /// Why each newer checkpoint was skipped.
  package let problems: [String]
  /// The paths of the files written.
  package let files: [String]

  /// Writes all parameters: one `parameters.safetensors`, or `TABLE.npy` of each table.
  ///
  /// - Parameters:
  ///   - path: a checkpoint, or a run or folder of checkpoints for its newest usable one.
  ///   - folder: created if missing; files of these names are replaced.
  ///   - withState: whether the optimizer's state is written too.
  /// - Throws: errors with a sentence when there is no usable checkpoint or a file cannot be
  ///   written; an existing file of that name is then unchanged.
  package static func write(
    path: String, format: TableFormat, to folder: String, withState: Bool
  ) throws -> CheckpointExport {
    try RuntimeError.checkRoom(in: folder, for: 80)
    let place = try CheckpointPlace(path: path)
    let (view, problems) = try place.open()
    try DurableFile.makeFolder(folder)
    let files =
      switch format {
      case .safetensors: try writeTensors(of: view, to: folder, withState: withState)
      case .npy: try writeMatrices(of: view, to: folder, withState: withState)
      }
    return CheckpointExport(
      checkpoint: place.path(of: view.manifest.name), problems: problems, files: files)
  }

  private static func writeTensors(
    of view: CheckpointView, to folder: String, withState: Bool
  ) throws -> [String] {
    let path = "\(folder)/parameters.safetensors"
    try view.export(to: path, withState: withState)
    return [path]
  }

  private static func writeMatrices(
    of view: CheckpointView, to folder: String, withState: Bool
  ) throws -> [String] {
    let matrices = view.parameters(withState: withState)
    let names = matrices.map { fileName(of: $0.name) }
    guard Set(names).count == names.count else {
      throw RuntimeError(
        exitCode: .cannotCreate,
        message: "Cannot write the tables of '\(view.manifest.name.folder)' as npy: two of them "
          + "would have the same file name; use --format safetensors.")
    }
    return try zip(matrices, names).map { matrix, name in
      let path = "\(folder)/\(name)"
      let writer = try NPYWriter.begin(path: path, rows: matrix.rows, columns: matrix.columns)
      try view.readRows(of: matrix) { row in
        guard let base = row.baseAddress else { return }
        try writer.append(base, count: 1)
      }
      try writer.finish()
      return path
    }
  }

  /// A file name without `/` and NUL, so that a table's name cannot lead out of the folder.
  private static func fileName(of name: String) -> String {
    String(name.map { $0 == "/" || $0 == "\0" ? "." : $0 }) + ".npy"
  }
}
