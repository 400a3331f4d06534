import Recommenders
import Settings

/// When a setting has an effect.
struct SettingScope: Sendable {
  /// Goes behind "only with": `objective mrdib`; empty for always.
  let description: String
  let includes: @Sendable (RunConfiguration) -> Bool

  static let always = SettingScope(description: "") { _ in true }

  static func optimizer(_ name: String) -> SettingScope {
    SettingScope(description: "optimizer \(name)") { $0.training.optimizer.rawValue == name }
  }

  static let ssp = SettingScope(description: "consistency ssp") {
    $0.training.consistency == .ssp
  }

  static let mrdib = SettingScope(description: "objective mrdib") {
    $0.model.objective == .mrdib
  }

  /// The settings of some of the models that there are.
  static func models(_ names: [String], of all: [String]) -> SettingScope {
    let others = Set(all).subtracting(names)
    if others.isEmpty { return .always }
    let description =
      others.count == 1
      ? "a model other than \(others.joined())"
      : "model \(names.sorted().joined(separator: " or "))"
    return SettingScope(description: description) { names.contains($0.model.model) }
  }

  /// The redundancy term with some of its estimators.
  static func estimators(_ names: [String]) -> SettingScope {
    SettingScope(
      description: "objective mrdib and mi_estimator \(names.joined(separator: " or "))"
    ) { $0.model.objective == .mrdib && names.contains($0.redundancy.estimator.rawValue) }
  }
}
