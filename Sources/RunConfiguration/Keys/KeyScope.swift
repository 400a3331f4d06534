/// When a setting has an effect.
public struct KeyScope: Sendable {
  /// Goes behind "only with": `objective mrdib`; empty for always.
  let description: String
  let includes: @Sendable (RunConfiguration) -> Bool

  static let always: KeyScope = KeyScope(description: "") { _ in true }

  static func optimizer(_ name: String) -> KeyScope {
    KeyScope(description: "optimizer \(name)") { $0.training.optimizer.rawValue == name }
  }

  static let ssp: KeyScope = KeyScope(description: "consistency ssp") {
    $0.training.consistency == .ssp
  }

  static let mrdib: KeyScope = KeyScope(description: "objective mrdib") {
    $0.model.objective == .mrdib
  }

  /// Settings of some models.
  static func models(_ names: String...) -> KeyScope {
    KeyScope(description: "model \(names.joined(separator: " or "))") {
      names.contains($0.model.model)
    }
  }

  static func allModels(but name: String) -> KeyScope {
    KeyScope(description: "a model other than \(name)") { $0.model.model != name }
  }

  /// The redundancy term with some of its estimators.
  static func redundancy(_ estimators: RunConfiguration.RedundancyEstimator...) -> KeyScope {
    let names = estimators.map(\.rawValue).joined(separator: " or ")
    return KeyScope(description: "objective mrdib and mi_estimator \(names)") {
      $0.model.objective == .mrdib && estimators.contains($0.redundancy.estimator)
    }
  }
}
