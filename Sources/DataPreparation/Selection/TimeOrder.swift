import Datasets

/// What timestamps stand for, if a source has an order in place of times. The history records it.
enum TimeOrder: String {
  /// A list of items for each user: the rows of different users are not comparable.
  case list = "order in the list of each user"
  case rows = "order of the rows"

  /// The setting of the step `import`.
  static let field = "timestamp"

  /// What a history says of the timestamps; nil: they are times.
  init?(_ history: DatasetHistory) {
    let value = history.steps.last { $0.name == "import" }?[Self.field]
    self.init(rawValue: value ?? "")
  }
}
