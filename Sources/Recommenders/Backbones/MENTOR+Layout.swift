import Tables
import Tensors

extension MENTOR {
  /// Where each parameter is in the list of tables.
  struct Layout: Sendable {
    let list: TableList
    let item: Int
    let userWeight: Int
    let mask: LinearLayer
    let modalities: [PreferenceBranch]
    let id: PreferenceBranch
    /// Two copies of the modalities' branches, or none.
    let noisy: [[PreferenceBranch]]
    /// The tables that ranking depends on.
    let rankingTables: [Int]

    init(
      userCount: Int, itemCount: Int, modalities: [(name: String, width: Int)],
      embeddingSize: Int, hasNoisyBranches: Bool
    ) {
      var list = TableList()
      func branch(_ name: String, _ width: Int) -> PreferenceBranch {
        PreferenceBranch(
          name, userCount: userCount, featureWidth: width, width: embeddingSize, in: &list)
      }
      userWeight = list.add(
        "user.weight", rows: userCount, width: modalities.count, initializer: .pushed)
      self.modalities = modalities.map { branch($0.name, $0.width) }
      rankingTables = Array(list.specs.indices)
      item = list.addIDFeatures(rows: itemCount, width: embeddingSize)
      id = branch("id", embeddingSize)
      noisy = (hasNoisyBranches ? [1, 2] : []).map { copy in
        modalities.map { branch("\($0.name).noisy\(copy)", $0.width) }
      }
      let width = embeddingSize * modalities.count
      mask = LinearLayer("mask", inputs: width, outputs: width, in: &list)
      self.list = list
    }
  }
}

extension MENTOR {
  /// What a step propagates.
  struct StepVectors {
    /// w_m X_m of users, `[U, d]` per modality.
    let users: [Variable]
    /// Î_m, `[I, d]` per modality.
    let items: [Variable]
    /// The terms over all nodes, `[1, 1]`.
    var terms: [Variable] = []
    /// n_U, n'_U, n_I and n'_I; empty without terms that compare a batch's rows.
    var noisy: [Variable] = []

    init(users: [Variable], items: [Variable]) {
      self.users = users
      self.items = items
    }

    /// The inverse of ``variables``.
    init(_ variables: [Variable], modalityCount: Int, termCount: Int = 0) {
      users = Array(variables[..<modalityCount])
      items = Array(variables[modalityCount..<2 * modalityCount])
      terms = Array(variables[(2 * modalityCount)...].prefix(termCount))
      noisy = Array(variables[(2 * modalityCount)...].dropFirst(termCount))
    }

    /// For ``Backbone/propagate(on:parameters:context:)``.
    var variables: [Variable] { users + items + terms + noisy }
  }
}
