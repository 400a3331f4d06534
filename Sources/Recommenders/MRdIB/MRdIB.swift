import Datasets
internal import Foundation
import Settings
import Tables
import Tensors

/// The MRdIB objective on top of a backbone.
///
/// The backbone gives a vector μ per item and modality. MRdIB makes it the mean of a Gaussian,
/// lets the backbone score samples z of it, and adds
///
///     L = L_backbone(z) + α₁ Σ_m KL(q(z_m | x) ‖ prior) + α₂ Σ_{m<m'} I(z_m; z_{m'})
///         + α₃ Σ_m L_U^m
///
/// - the divergence filters what the likelihood does not need from each modality (α₁);
/// - the redundancy between modalities is estimated by a discriminator and minimised (α₂);
/// - each modality alone should explain the preference (α₃):
///   `L_U^m = mean softplus(−⟨a_{m,u}, z_{m,p} − z_{m,n}⟩)`;
/// - information that only the combination has is in the backbone's own likelihood on z.
///
/// The paper's synergy term is that likelihood and is counted once. A backbone whose likelihood
/// sees no content names the users of a joint likelihood instead (``Content/jointUsers``), which is
/// added with weight α₃ + `synergy_weight`. Inference uses μ: the objective costs nothing there.
///
/// Over several shards the divergence and the redundancy are estimated per shard and averaged by
/// size; with one shard they are those of the whole batch.
///
/// - Source: the MRdIB paper's loss (its eqs. of L_MIB, L_U, L_R, L_S) in the trainable form
///   described in `docs/MRdIB.md`; deviations and open choices are ``MRdIB/Settings``.
public struct MRdIB: Sendable {
  public let tables: [TableSpec]
  private let settings: SettingValues<Settings>
  /// α₁, α₂, α₃ and the extra weight of the joint likelihood.
  private let weights: (bottleneck: Float, redundancy: Float, unique: Float, synergy: Float)
  private let pairs: RedundancyPairs
  private let modalities: [String]
  private let layout: Layout
  private let estimator: any RedundancyEstimator
  private let noise: any StepNoise

  /// - Parameters:
  ///   - modalities: names, in the order of `Content.means`.
  ///   - width: D of the content vectors.
  public init(settings: SettingValues<Settings>, modalities: [String], width: Int) {
    self.init(settings: settings, modalities: modalities, width: width, noise: KeyedStepNoise())
  }

  /// With given random numbers, for reference values.
  package init(
    settings: SettingValues<Settings>, modalities: [String], width: Int, noise: any StepNoise
  ) {
    self.noise = noise
    self.settings = settings
    self.modalities = modalities
    weights = (
      Float(settings.bottleneckWeight), Float(settings.redundancyWeight),
      Float(settings.uniqueWeight), Float(settings.synergyWeight)
    )
    let redundancy = settings.store[RedundancySettings.self]
    pairs = redundancy.pairs
    estimator = EstimatorRegistry.make(redundancy.estimator, settings.store)
    layout = Layout(
      settings: settings, averageRate: Float(redundancy.averageRate), modalities: modalities,
      width: width, estimator: estimator)
    tables = layout.tables
  }

  /// The initial values of a table whose initializer is `pushed`, `[1, D]`: the log-variance that
  /// ``InitialDeviation/relative`` begins with.
  ///
  /// - Parameter scales: the root mean square of each modality's vectors at the start.
  func initialValues(table: Int, scales: [Float]) -> Matrix {
    guard let modality = layout.encoders.firstIndex(of: table - 1) else {
      preconditionFailure("table \(tables[table].name) has no initial values of its own")
    }
    let values = Matrix(rows: 1, columns: tables[table].width)
    values.fill(2 * log(max(0.1 * scales[modality], 1e-8)))
    return values
  }

  /// The rows that a batch needs: all rows of every table, because the tables are small.
  func rows() -> [RowSelection] { tables.map { _ in .all } }

  /// Records the whole loss of one shard.
  ///
  /// - Parameters:
  ///   - input: the batch with the rows that the backbone needs.
  ///   - parameters: the rows of ``tables``.
  ///   - firstTable: the run's index of the first of ``tables``, for the averages.
  func record(
    on tape: Tape, backbone: some Backbone, _ input: BatchInput, parameters: [Variable],
    firstTable: Int
  ) -> Loss {
    let (batch, context) = (input.batch, input.context)
    let content = backbone.content(on: tape, input)
    var loss = Loss(terms: [])
    let encoded = modalities.indices.map { modality in
      encode(
        on: tape, modality, mean: content.means[modality], parameters: parameters, batch: batch,
        context: context, into: &loss, firstTable: firstTable)
    }
    let pairTerms = recordRedundancy(
      on: tape, encoded, parameters: parameters, batch: batch, context: context, into: &loss,
      firstTable: firstTable)
    guard context.isFinalRound else {
      // Earlier rounds train only the discriminator.
      loss.terms = pairTerms.filter { $0.name == Self.discriminatorName }
      return loss
    }
    let ranked = backbone.loss(
      on: tape, input, content: content, items: encoded, likelihood: settings.likelihood)
    let joint = jointTerm(on: tape, users: content.jointUsers, items: encoded, batch: batch)
    // The backbone's ranking term is the joint likelihood, unless it does not see the content.
    loss.terms =
      (content.jointUsers == nil ? ranked.map(weighingSynergy) : ranked) + loss.terms + pairTerms
      + (joint.map { [$0] } ?? [])
    if weights.unique != 0 {
      for modality in modalities.indices {
        loss.terms.append(
          uniqueTerm(
            on: tape, modality, users: content.users[modality], items: encoded[modality],
            parameters: parameters, batch: batch))
      }
    }
    return loss
  }

  /// Counts the joint likelihood once more by ``Settings/synergyWeight``.
  private func weighingSynergy(_ term: LossTerm) -> LossTerm {
    guard term.name == LossTerm.rankingName, weights.synergy != 0 else { return term }
    return .additive(term.name, term.variable, weight: term.weight + weights.synergy)
  }
}

extension MRdIB {
  static let discriminatorName = "discriminator"

  /// z of one modality, `[J, D]`, with its divergence and diagnostics added to the loss.
  private func encode(
    on tape: Tape, _ modality: Int, mean: Variable, parameters: [Variable], batch: TripletBatch,
    context: StepContext, into loss: inout Loss, firstTable: Int
  ) -> Variable {
    let name = modalities[modality]
    let share = Double(batch.share)
    var mean = mean
    if let head = layout.heads[modality] {
      mean = tape.add(mean, tape.linear(mean, parameters[head]))
    }
    let count = Float(max(1, mean.value.count))
    let scale = rootMeanSquare(mean.value)
    loss.statistics["rms.\(name)"] = Double(scale) * share
    guard settings.isStochastic || weights.bottleneck != 0 else { return mean }

    let encoder = layout.encoders[modality]
    let logVariance = tape.clamp(
      tape.linear(mean, parameters[encoder], bias: parameters[encoder + 1]),
      Float(settings.smallestLogVariance), Float(settings.largestLogVariance))
    var priorDeviation: Float = 1
    if let average = layout.scaleAverages {
      let running = parameters[average].value[modality, 0]
      priorDeviation = max(running > 0 ? running : scale, 1e-6)
      loss.average(firstTable + average, of: tables[average])[modality, 0] = scale * batch.share
    }
    let perItem = settings.reduction == .sum
    let divergence = tape.gaussianDivergence(
      mean: mean, logVariance: logVariance, priorDeviation: priorDeviation,
      scale: perItem ? 1 / Float(max(1, mean.rows)) : 1 / count)
    loss.terms.append(
      .estimated(
        "kl.\(name)", divergence, weight: weights.bottleneck, share: batch.share))
    let perDimension = Double(divergence.scalar) / (perItem ? Double(mean.columns) : 1)
    loss.statistics["kl_per_dimension.\(name)"] = perDimension * share
    guard settings.isStochastic else { return mean }

    let noise = tape.matrix(rows: mean.rows, columns: mean.columns)
    self.noise.fill(noise, modality: modality, items: batch.distinctItems, context: context)
    let (sample, deviation) = tape.gaussianSample(
      mean: mean, logVariance: logVariance, noise: noise)
    let total = BLAS.absoluteSum(deviation.pointer, count: deviation.count)
    loss.statistics["sigma.\(name)"] = Double(total / count) * share
    return sample
  }

  /// The redundancy of every pair of modalities, and the discriminators' own objectives.
  private func recordRedundancy(
    on tape: Tape, _ encoded: [Variable], parameters: [Variable], batch: TripletBatch,
    context: StepContext, into loss: inout Loss, firstTable: Int
  ) -> [LossTerm] {
    guard weights.redundancy != 0 else { return [] }
    let rows =
      pairs == .positives
      ? batch.distinctPositiveItemIndex : (0..<Int32(batch.distinctItems.count)).map { $0 }
    guard rows.count >= 2 else {
      // Too few items for a shuffled pair: keep the running averages unchanged.
      let averages = parameters[layout.pairAverages].value
      let share = loss.average(firstTable + layout.pairAverages, of: tables[layout.pairAverages])
      for index in 0..<averages.count {
        share.pointer[index] = averages.pointer[index] * batch.share
      }
      return []
    }
    let vectors = encoded.map { tape.gather($0, rows) }
    var terms: [LossTerm] = []
    for (index, pair) in layout.pairs.enumerated() {
      let shift = noise.shift(count: rows.count, pair: index, context: context)
      let averages = parameters[layout.pairAverages].value
      // Both averages are 0 until the first step has been counted.
      let isCounted = averages[index, 0] != 0 || averages[index, 1] != 0
      let recorded = estimator.record(
        on: tape, left: vectors[pair.left], right: vectors[pair.right],
        discriminator: Array(parameters[pair.discriminator]), shift: shift,
        average: isCounted && averages[index, 0] > 0 ? averages[index, 0] : nil)
      let estimate = recorded.estimate.scalar
      let running = isCounted ? averages[index, 1] : estimate
      let average = loss.average(firstTable + layout.pairAverages, of: tables[layout.pairAverages])
      average[index, 0] = (recorded.meanExponential ?? 0) * batch.share
      average[index, 1] = estimate * batch.share
      terms.append(
        .estimated(
          "redundancy.\(pair.name)", recorded.estimate, weight: weights.redundancy,
          share: batch.share,
          gradientWeight: estimator.isVacuous(running) ? 0 : weights.redundancy))
      loss.statistics["redundancy_running.\(pair.name)"] = Double(running) * Double(batch.share)
      if let discriminatorLoss = recorded.discriminatorLoss {
        terms.append(
          .estimated(
            Self.discriminatorName, discriminatorLoss, weight: 0, share: batch.share,
            gradientWeight: 1))
      }
    }
    return terms
  }

  /// The joint likelihood given the mean of all modalities, for a backbone whose score contains no
  /// content. Its weight is that of the modalities' own likelihoods, so that without them the
  /// backbone is left as it was.
  private func jointTerm(
    on tape: Tape, users: Variable?, items: [Variable], batch: TripletBatch
  ) -> LossTerm? {
    let weight = weights.unique + weights.synergy
    guard let users, weight != 0 else { return nil }
    let mean = tape.sum(items.map { ($0, 1 / Float(items.count)) })
    let likelihood = tape.preferenceLoss(
      users: users, items: mean, batch: batch, likelihood: settings.likelihood, form: .softplus)
    return .additive("joint", likelihood, weight: weight)
  }

  /// `α₃ L_U^m`: the likelihood of the preference given one modality alone.
  private func uniqueTerm(
    on tape: Tape, _ modality: Int, users: Variable, items: Variable, parameters: [Variable],
    batch: TripletBatch
  ) -> LossTerm {
    var users = users
    if let decoder = layout.decoders[modality] {
      users = tape.add(users, tape.linear(users, parameters[decoder]))
    }
    let likelihood = tape.preferenceLoss(
      users: users, items: items, batch: batch, likelihood: settings.likelihood, form: .softplus)
    return .additive("unique.\(modalities[modality])", likelihood, weight: weights.unique)
  }

  private func rootMeanSquare(_ x: Matrix) -> Float {
    (BLAS.dot(x.pointer, x.pointer, count: x.count) / Float(max(1, x.count))).squareRoot()
  }
}

extension Loss {
  /// This shard's share of an average table; zeros on first use.
  fileprivate mutating func average(_ table: Int, of spec: TableSpec) -> Matrix {
    if let matrix = averages[table] { return matrix }
    let matrix = Matrix(rows: spec.rows, columns: spec.width)
    averages[table] = matrix
    return matrix
  }
}
