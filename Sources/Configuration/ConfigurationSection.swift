import Settings

/// A setting of a run: what its owner declares, and when it has an effect.
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

  /// The section with more keys behind its own.
  func adding(_ more: [ConfigurationKey]) -> Self {
    var result = self
    result.keys += more
    return result
  }
}
