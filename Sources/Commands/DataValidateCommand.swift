import ArgumentParser
import Datasets
import Runtime

struct DataValidateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate", abstract: "Check a data set and list all problems.",
    discussion: """
        mrdib data validate shop
        mrdib data validate shop --json
      """)

  @Argument(help: "The data set's folder.", completion: .directory)
  var folder: String

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try reporting {
      let validation = DatasetValidation.validate(folder: folder)
      if json {
        try StandardOutput.writeJSON(ValidationReport(validation, folder: folder))
      } else {
        show(validation)
      }
      guard validation.isUsable else {
        throw ArgumentParser.ExitCode(Runtime.ExitCode.dataMalformed.rawValue)
      }
    }
  }

  private func show(_ validation: DatasetValidation) {
    for problem in validation.problems { StandardError.write("error: \(problem)") }
    if validation.isCutShort { StandardError.write("there are more problems; fix these first") }
    if !validation.isUsable, validation.isUsableWithoutFeatures {
      StandardError.write("models without features, such as bpr, can be trained in spite of that")
    }
    for warning in validation.warnings { StandardError.write("warning: \(warning)") }
    if validation.isUsable { StandardOutput.write("'\(folder)' can be trained on") }
  }
}
