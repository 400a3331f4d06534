import Foundation

/// Whether a run goes on from what was trained before.
public enum ResumeChoice: Sendable, Equatable, CustomStringConvertible {
  /// Continue the run that the run directory holds; begin one if it holds none.
  case auto
  /// Begin a new run.
  case never
  /// Continue from this folder.
  case path(String)

  /// What a person wrote: `auto`, `never`, or a folder that exists. A folder of such a name is
  /// written with its path: `./auto`.
  ///
  /// - Throws: ``RuntimeError``.
  public init(argument: String) throws {
    switch argument {
    case "auto": self = .auto
    case "never": self = .never
    default:
      var isFolder: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder)
      guard exists, isFolder.boolValue else {
        let found = exists ? "that is a file" : "there is no such folder"
        throw RuntimeError(
          exitCode: .usage,
          message: "Cannot resume from '\(argument)': \(found); give auto, never, or the folder "
            + "to continue from.")
      }
      self = .path(argument)
    }
  }

  /// As it is written on a command line.
  public var description: String {
    switch self {
    case .auto: "auto"
    case .never: "never"
    case .path(let path): path
    }
  }
}
