import Datasets
internal import Foundation
import Settings
import Tables
import Tensors

/// The MRdIB objective on top of a backbone.
///
/// The backbone gives a vector μ per item and modality. MRdIB makes it the mean of a Gaussian with
/// samples z. With ``RankedVectors/samples`` the backbone scores z:
///
///     L = L_backbone(z) + α₁ Σ_m KL(q(z_m | x) ‖ prior) + α₂ Σ_{m<m'} I(z_m; z_{m'})
///         + α₃ Σ_m L_U^m
///
/// With ``RankedVectors/means`` it scores μ, and the joint likelihood is a term of its own:
///
///     L = L_backbone(μ) + w_S L_S + α₁ Σ_m KL + α₂ Σ_{m<m'} I(z_m; z_{m'}) + α₃ Σ_m L_U^m
///
/// - the divergence filters what the likelihood does not need from each modality (α₁);
/// - the redundancy between modalities is estimated by a discriminator and minimised (α₂; 0 by
///   default);
/// - each modality alone should explain the preference (α₃): L_U^m is ``Likelihood`` with a_m as
///   users and z_m as items;
/// - information that only the combination has is in the joint likelihood: the backbone's own on z,
///   or L_S, that of the vectors of its score with z (``Backbone/fused(on:_:content:rows:)``).
///
/// The paper's synergy term is that likelihood and is counted once. With ranked samples, a backbone
/// whose likelihood sees no content names the users of a joint likelihood instead
/// (``Content/jointUsers``), which is added with weight α₃ + `synergy_weight`. Inference uses μ:
/// the objective costs nothing there.
///
/// All terms but the backbone's own are auxiliary (``LossTerm/isAuxiliary``); ``Settings/isGated``
/// lets none of them overrule it. With ranked means and all weights 0 the backbone is trained to
/// the bit.
///
/// Over several shards the divergence, the redundancy, the scale of codes and a choice among
/// candidates are estimated per shard and averaged by size; with one shard they are those of the
/// whole batch.
///
/// - Source: the MRdIB paper's loss (its eqs. of L_MIB, L_U, L_R, L_S) in the trainable form
///   described in `docs/MRdIB.md`; deviations and open choices are ``MRdIB/Settings``.
public struct MRdIB: Sendable {
  public let tables: [TableSpec]
  let settings: SettingValues<Settings>
  /// α₁, α₂, α₃ and the (extra) weight of the joint likelihood.
  let weights: (bottleneck: Float, redundancy: Float, unique: Float, synergy: Float)
  let pairs: RedundancyPairs
  let modalities: [String]
  /// Where items have the prior's mean as code.
  let absence: AbsentModalities
  let layout: Layout
  let estimator: any RedundancyEstimator
  let noise: any StepNoise
  private let candidateRule: CandidateRule

  /// - Parameters:
  ///   - modalities: names, in the order of `Content.means`.
  ///   - width: D of the content vectors.
  ///   - masks: which items have each modality, nil for all; empty if all have all. The others'
  ///     codes are the prior's mean, 0, and their terms are left out.
  public init(
    settings: SettingValues<Settings>, modalities: [String], width: Int,
    masks: [FeatureMask?] = []
  ) {
    self.init(
      settings: settings, modalities: modalities, width: width, noise: KeyedStepNoise(),
      masks: masks)
  }

  /// With given random numbers, for reference values.
  package init(
    settings: SettingValues<Settings>, modalities: [String], width: Int, noise: any StepNoise,
    masks: [FeatureMask?] = []
  ) {
    absence = AbsentModalities(masks: masks)
    self.noise = noise
    self.settings = settings
    self.modalities = modalities
    weights = (
      Float(settings.bottleneckWeight), Float(settings.redundancyWeight),
      Float(settings.uniqueWeight), Float(settings.synergyWeight)
    )
    let redundancy = settings.store[RedundancySettings.self]
    pairs = redundancy.pairs
    candidateRule = CandidateRule(settings.store[CandidateSettings.self])
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
  ///   - backboneLikelihood: what the backbone's ranking term is in place of its own.
  func record(
    on tape: Tape, backbone: some Backbone, _ input: BatchInput, parameters: [Variable],
    firstTable: Int, backboneLikelihood: Likelihood?
  ) -> Loss {
    let (batch, context) = (input.batch, input.context)
    let content = backbone.content(on: tape, input)
    var loss = Loss(terms: [])
    let likelihood = likelihood(of: batch)
    let rows = codedRows(of: batch, likelihood)
    let encoded = modalities.indices.map { modality in
      encode(
        on: tape, modality, mean: content.means[modality], parameters: parameters, batch: batch,
        rows: rows, context: context, into: &loss, firstTable: firstTable)
    }
    let pairTerms = recordRedundancy(
      on: tape, encoded, parameters: parameters, batch: batch, context: context, into: &loss,
      firstTable: firstTable)
    guard context.isFinalRound else {
      // Earlier rounds train only the discriminator.
      loss.terms = pairTerms.filter { $0.name == Self.discriminatorName }
      return loss
    }
    let own = backbone.loss(
      on: tape, input, content: content,
      items: settings.ranked == .means ? content.means : encoded,
      likelihood: backboneLikelihood ?? (settings.ranked == .means ? .bpr : likelihood))
    let codes = Content(
      means: encoded, users: rows.users(of: content.users, on: tape),
      jointUsers: content.jointUsers)
    let auxiliary = likelihood.among(rows)
    let joint = jointTerm(
      on: tape, backbone: backbone, input, codes: codes, rows: rows, likelihood: auxiliary)
    loss.terms = weighingSynergy(own, content) + loss.terms + pairTerms + (joint.map { [$0] } ?? [])
    if weights.unique != 0 {
      for modality in modalities.indices {
        loss.terms.append(
          uniqueTerm(
            on: tape, modality, users: codes.users[modality], items: encoded[modality],
            parameters: parameters, batch: batch, rows: rows, likelihood: auxiliary))
      }
    }
    if settings.isGated {
      loss.gate = AuxiliaryGate(limit: Float(settings.gateLimit), boundary: content.means)
    }
    return loss
  }

  /// The rows whose codes terms see: of a choice among candidates the anchors' users and the
  /// candidates, unless codes are ranked or compared, too.
  private func codedRows(of batch: TripletBatch, _ likelihood: Likelihood) -> BatchRows {
    guard settings.ranked == .means, weights.redundancy == 0,
      case .candidates(let candidates) = likelihood
    else { return BatchRows(of: batch) }
    return BatchRows(of: batch, choice: candidates.choice)
  }

  private func likelihood(of batch: TripletBatch) -> Likelihood {
    switch settings.likelihood {
    case .bpr: .bpr
    case .bce: .bce
    case .candidates: .candidates(candidateRule.candidates(of: batch))
    }
  }
}

/// The likelihoods.
extension MRdIB {
  /// The backbone's own terms. Where its ranking term is the joint likelihood, because it sees
  /// samples, that is counted once more by ``Settings/synergyWeight``.
  private func weighingSynergy(_ terms: [LossTerm], _ content: Content) -> [LossTerm] {
    guard settings.ranked == .samples, content.jointUsers == nil, weights.synergy != 0 else {
      return terms
    }
    return terms.map { term in
      guard term.name == LossTerm.rankingName else { return term }
      return .additive(term.name, term.variable, weight: term.weight + weights.synergy)
    }
  }

  /// The joint likelihood, where it is not the backbone's ranking term.
  ///
  /// With ranked means, `w_S L_S`. With samples in a score without content, the likelihood given
  /// the mean of all modalities; its weight includes that of the modalities' own likelihoods, so
  /// that without them the backbone is left as it was.
  private func jointTerm(
    on tape: Tape, backbone: some Backbone, _ input: BatchInput, codes: Content, rows: BatchRows,
    likelihood: Likelihood
  ) -> LossTerm? {
    let users: Variable
    let vectors: Variable
    let weight: Float
    switch (settings.ranked, codes.jointUsers) {
    case (.means, _):
      weight = weights.synergy
      guard weight != 0 else { return nil }
      (users, vectors) = backbone.fused(on: tape, input, content: codes, rows: rows)
    case (.samples, let jointUsers?):
      weight = weights.unique + weights.synergy
      guard weight != 0 else { return nil }
      users = jointUsers
      vectors = tape.sum(codes.means.map { ($0, 1 / Float(codes.means.count)) })
    case (.samples, nil): return nil
    }
    return .additive(
      "joint",
      tape.preferenceLoss(
        users: users, items: vectors, batch: input.batch, likelihood: likelihood, form: .softplus),
      weight: weight
    ).asAuxiliary()
  }

  /// `α₃ L_U^m`: the likelihood of the preference given one modality alone, where the items
  /// have it.
  private func uniqueTerm(
    on tape: Tape, _ modality: Int, users: Variable, items: Variable, parameters: [Variable],
    batch: TripletBatch, rows: BatchRows, likelihood: Likelihood
  ) -> LossTerm {
    var users = users
    if let decoder = layout.decoders[modality] {
      users = tape.add(users, tape.linear(users, parameters[decoder]))
    }
    return .additive(
      "unique.\(modalities[modality])",
      tape.preferenceLoss(
        users: users, items: items, batch: batch,
        likelihood: absence.among(rows.items, modality, likelihood), form: .softplus,
        triplets: absence.triplets(of: batch, modality)),
      weight: weights.unique
    ).asAuxiliary()
  }
}
