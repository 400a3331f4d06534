import Tensors

/// The items of every user of a generated data set.
struct SyntheticLists {
  private let configuration: SyntheticConfiguration
  /// What users chose, one list after the other, in memory or in a file.
  private let items: ReadOnlyArray<Int32>
  /// Items that went to users who had not chosen them, by user.
  private let added: [(user: Int, item: Int32)]

  /// - Parameters:
  ///   - items: what ``SyntheticChoices/draw(report:append:)`` passed on.
  ///   - added: what ``SyntheticChoices/added()`` found.
  init(
    _ configuration: SyntheticConfiguration, items: ReadOnlyArray<Int32>,
    added: [(user: Int, item: Int32)]
  ) {
    self.configuration = configuration
    self.items = items
    self.added = added
  }

  /// How many interactions there are.
  var count: Int { items.count + added.count }

  /// Calls `body` with the list of every user, users and items ascending.
  func forEach<Failure: Error>(
    _ body: (_ user: Int, _ items: [Int32]) throws(Failure) -> Void
  ) throws(Failure) {
    var rest = added[...]
    var start = 0
    for user in 0..<configuration.users {
      let end = start + configuration.interactionCount(of: user)
      var list = Array(items[start..<end])
      start = end
      while let next = rest.first, next.user == user {
        list.append(next.item)
        rest = rest.dropFirst()
      }
      try body(user, list.sorted())
    }
  }
}
