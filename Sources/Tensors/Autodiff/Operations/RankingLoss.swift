internal import Foundation

/// How the logistic of a margin becomes a loss.
public enum RankingLossForm: Sendable {
  /// `softplus(−Δ) = −ln σ(Δ)`, without overflow.
  case softplus
  /// `−ln(ε + σ(Δ))` with ε = 1e-10, as the reference toolbox has it for BPR, VBPR and LightGCN.
  case guarded
}

extension Tape {
  /// Bayesian personalised ranking over margins.
  ///
  ///     L = −(1 / count) Σ_b ln σ(Δ_b)
  ///
  /// - Parameters:
  ///   - margins: `[B, 1]`, positive minus negative score.
  ///   - count: what the sum is divided by: the triplets of the whole step, so that shards add up.
  /// - Returns: `[1, 1]`, nats.
  /// - Source: Rendle et al. 2009, arXiv:1205.2618, eq. 4; ``RankingLossForm/guarded`` follows
  ///   MMRec's `BPRLoss`.
  public func rankingLoss(
    _ margins: Variable, form: RankingLossForm, count: Int
  ) -> Variable {
    let scale = 1 / Float(max(1, count))
    let slope = matrix(rows: margins.rows, columns: 1)  // dL_b/dΔ_b before scaling
    let total = Lanes.current.sum(of: margins.rows, elements: 64) { rows in
      var total = 0.0
      for row in rows {
        let margin = margins.value.pointer[row]
        let small = Float(exp(-Double(abs(margin))))  // e^{−|Δ|} never overflows
        let sigmoid = margin >= 0 ? 1 / (1 + small) : small / (1 + small)
        let complement = margin >= 0 ? small / (1 + small) : 1 / (1 + small)
        switch form {
        case .softplus:
          total += Double(max(-margin, 0)) + log1p(Double(small))
          slope.pointer[row] = -complement
        case .guarded:
          total -= log(1e-10 + Double(sigmoid))
          slope.pointer[row] = -sigmoid * complement / (1e-10 + sigmoid)
        }
      }
      return total
    }
    return record(scalar(Float(total) * scale), from: margins) { [unowned self] gradient in
      let factor = gradient.pointer[0] * scale
      accumulate(into: margins) { target, isFirst in
        for row in 0..<target.rows {
          let share = factor * slope.pointer[row]
          target.pointer[row] = isFirst ? share : target.pointer[row] + share
        }
      }
    }
  }
}
