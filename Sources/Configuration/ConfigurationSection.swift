import Recommenders
import Settings

/// A setting of a run: its declaration, and when it has an effect.
package struct ConfigurationKey: Sendable {
  package let declaration: any SettingDeclaration
  let scope: SettingScope

  init(_ declaration: any SettingDeclaration, _ scope: SettingScope) {
    self.declaration = declaration
    self.scope = scope
  }

  package var name: String { declaration.name }
  package var aliases: [String] { declaration.aliases }
  package var anyDefault: any SettingValue { declaration.anyDefault }
  package var summary: String { declaration.summary }
}

/// Keys that are listed together.
struct ConfigurationSection: Sendable {
  /// The heading in help and in the resolved configuration.
  let title: String
  /// In the order in which they are listed.
  private(set) var keys: [ConfigurationKey]

  init(_ title: String, _ keys: [ConfigurationKey]) {
    self.title = title
    self.keys = keys
  }

  /// The settings of a group.
  ///
  /// - Parameter scope: when a setting of a name has an effect.
  init<Group: SettingGroup>(
    _ title: String, _ group: Group.Type, scope: (String) -> SettingScope = { _ in .always }
  ) {
    self.init(title, Group.declarations.map { ConfigurationKey($0, scope($0.name)) })
  }

  /// The section with more keys at its end.
  func adding(_ more: [ConfigurationKey]) -> Self {
    var result = self
    result.keys += more
    return result
  }
}

/// When a setting has an effect.
struct SettingScope: Sendable {
  /// Follows "only with" in messages: `objective mrdib`; empty for always.
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

  static let absoluteCodes = SettingScope(description: "objective mrdib and code_scale absolute") {
    $0.model.objective == .mrdib && $0.mrdib.codeScale == .absolute
  }

  static let gate = SettingScope(description: "objective mrdib and gate true") {
    $0.model.objective == .mrdib && $0.mrdib.isGated
  }

  static let candidates = SettingScope(
    description: "likelihood candidates of objective mrdib, or backbone_likelihood candidates"
  ) {
    $0.candidates.backboneLikelihood == .candidates
      || $0.model.objective == .mrdib && $0.mrdib.likelihood == .candidates
  }

  /// The settings of some of the models.
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
