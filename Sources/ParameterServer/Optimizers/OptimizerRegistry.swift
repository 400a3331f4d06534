/// The optimizers that there are. To add one, write its file and a line here.
package enum OptimizerRegistry {
  /// The first is the default.
  static let all: [any RowOptimizer.Type] = [
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
  package static func make(_ name: String, _ values: OptimizerValues) -> (any RowOptimizer)? {
    all.first { $0.name == name }?.init(values)
  }
}
