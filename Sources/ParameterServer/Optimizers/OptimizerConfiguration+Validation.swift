extension OptimizerConfiguration {
  /// Checks that every number is one that the update rules are defined for.
  ///
  /// - Throws: ``ParameterServerError`` with code `configuration` that names the number.
  public func validate() throws(ParameterServerError) {
    try model.validate(group: "model")
    try discriminator.validate(group: "discriminator")
    switch kind {
    case .sgd: break
    case .adagrad(let epsilon): try Self.validate(epsilon: epsilon)
    case .adam(let beta1, let beta2, let epsilon, _):
      try Self.validate(epsilon: epsilon)
      for (name, beta) in [("beta1", beta1), ("beta2", beta2)]
      where !(beta >= 0 && Float(beta) < 1) {
        throw ParameterServerError(
          .configuration, "Adam's \(name) is \(beta); choose at least 0 and less than 1.")
      }
    }
  }

  /// A row without a gradient must stay as it is, and 0 / 0 would not let it.
  private static func validate(epsilon: Double) throws(ParameterServerError) {
    guard Float(epsilon).isNormal && epsilon > 0 else {
      throw ParameterServerError(
        .configuration,
        "The optimizer's epsilon is \(epsilon); choose a positive number such as 1e-8.")
    }
  }
}

extension LearningRate {
  fileprivate func validate(group: String) throws(ParameterServerError) {
    guard
      initial.isFinite, initial >= 0, decay.isFinite, decay > 0, period.isFinite, period > 0
    else {
      throw ParameterServerError(
        .configuration,
        """
        The learning rate of the group '\(group)' is \(initial) · \(decay)^(epoch / \(period)): \
        the rate must not be negative, and decay and period must be positive.
        """)
    }
  }
}
