import Settings

/// All optimizers. To add one, write its file and a line here.
package enum OptimizerRegistry: NameRegistry {
  /// The first is the default.
  package static let all: [any RowOptimizer.Type] = [
    Adam.self,
    Adagrad.self,
    RowwiseAdagrad.self,
    SGD.self,
  ]

  /// The names in settings.
  package static let names = all.map { $0.name }

  /// The settings that each optimizer declares.
  package static let settings = all.map { (optimizer: $0.name, settings: $0.settings) }

  /// An optimizer by its name; nil if there is none.
  package static func make(_ name: String, _ store: SettingStore) -> (any RowOptimizer)? {
    all.first { $0.name == name }?.make(store)
  }
}

extension RowOptimizer {
  fileprivate static var settings: [any SettingDeclaration] { Settings.declarations }

  fileprivate static func make(_ store: SettingStore) -> any RowOptimizer {
    Self(store[Settings.self])
  }
}
