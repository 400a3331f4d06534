import Datasets
import Files

/// The command that usually follows one that prepares a data set, as a line for stderr.
enum NextCommand {
  /// - Parameter folder: what was made or changed.
  static func after(preparing folder: String) -> String {
    after(preparing: folder, isSplit: (try? DatasetDescription.isSplit(folder: folder)) ?? true)
  }

  /// - Parameter isSplit: whether it can be trained on.
  static func after(preparing folder: String, isSplit: Bool) -> String {
    let word = ShellWord.quoted(folder)
    if isSplit {
      let train = "next: mrdib train --data \(word)"
      let description = try? DatasetDescription.read(folder: folder)
      guard let description, description.modalities.isEmpty else { return train }
      return "\(train) --model bpr\n"
        + "models with features need some first: mrdib data features \(word) --add text=FILE"
    }
    let name = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    return "next: mrdib data split \(word) --out \(ShellWord.quoted("\(name)-split"))"
  }
}
