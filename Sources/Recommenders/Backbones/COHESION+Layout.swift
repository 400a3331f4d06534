import Tables
import Tensors

extension COHESION {
  /// Where each parameter is in the list of tables.
  struct Layout: Sendable {
    let list: TableList
    let item: Int
    let userWeight: Int
    /// Of ids, then of each modality.
    let branches: [PreferenceBranch]

    init(
      userCount: Int, itemCount: Int, modalities: [(name: String, width: Int)],
      embeddingSize: Int
    ) {
      var list = TableList()
      item = list.addIDFeatures(rows: itemCount, width: embeddingSize)
      userWeight = list.add(
        "user.weight", rows: userCount, width: modalities.count, initializer: .pushed)
      branches = ([("id", embeddingSize)] + modalities).map { name, width in
        PreferenceBranch(
          name, userCount: userCount, featureWidth: width, width: embeddingSize, in: &list)
      }
      self.list = list
    }
  }
}

extension COHESION {
  /// Û_m `[U, d]` and Î_m `[I, d]` of the id branch and then of each modality.
  struct Blocks {
    let users: [Variable]
    let items: [Variable]

    init(users: [Variable], items: [Variable]) {
      self.users = users
      self.items = items
    }

    /// The inverse of ``variables``.
    init(_ variables: [Variable]) {
      let half = variables.count / 2
      self.init(users: Array(variables[..<half]), items: Array(variables[half...]))
    }

    /// For ``Backbone/propagate(on:parameters:context:)``.
    var variables: [Variable] { users + items }
  }
}
