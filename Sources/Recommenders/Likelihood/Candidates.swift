import Datasets
import Settings
import Tensors

/// The choices that a shard's triplets are read as: anchors are its first triplets, and every
/// anchor's user chose its positive item among the same candidates.
///
///     −log p(p | u) = ln Σ_{c ∈ C} e^{cos(u, c)/τ} − cos(u, p)/τ
///
/// A pair is the case of two candidates without a temperature. Candidates that the user has
/// interacted with, too, are not removed: only the anchor's own positive counts as chosen.
public struct Candidates: Sendable {
  /// Rows of the batch's distinct users and distinct items.
  public let choice: CandidateChoice
  /// τ.
  public let temperature: Float
}

/// How many of a batch's triplets are anchors, and how many items they choose among.
public struct CandidateRule: Sendable, Equatable {
  /// Anchors of a whole batch, at most.
  let anchorCount: Int
  /// Candidates of a shard, at most.
  let candidateLimit: Int
  /// τ.
  let temperature: Float

  public init(_ settings: SettingValues<CandidateSettings>) {
    anchorCount = settings.anchors
    candidateLimit = settings.candidates
    temperature = Float(settings.temperature)
  }

  /// The choices of a shard.
  ///
  /// Its share of the anchors is rounded up, so that every shard that has triplets has anchors.
  /// Candidates are the anchors' distinct positive items, which are always among them, then their
  /// negative items, then the items of further triplets in the batch's order, which is random. So
  /// a shard has fewer anchors than the whole batch would have and about as many candidates: the
  /// cost of a step does not grow with the number of shards.
  package func candidates(of batch: TripletBatch) -> Candidates {
    let total = max(1, batch.globalCount)
    let count = min(batch.count, (anchorCount * batch.count + total - 1) / total)
    var isCandidate = [Bool](repeating: false, count: batch.distinctItems.count)
    var size = 0
    func add(_ item: Int32) {
      guard !isCandidate[Int(item)] else { return }
      isCandidate[Int(item)] = true
      size += 1
    }
    for item in batch.positiveIndex[..<count] { add(item) }
    for item in batch.negativeIndex[..<count] where size < candidateLimit { add(item) }
    for triplet in count..<batch.count where size < candidateLimit {
      add(batch.positiveIndex[triplet])
      if size < candidateLimit { add(batch.negativeIndex[triplet]) }
    }

    // Ascending, which is the order in which the rows lie in memory.
    var position = [Int32](repeating: 0, count: isCandidate.count)
    var candidates: [Int32] = []
    candidates.reserveCapacity(size)
    for item in isCandidate.indices where isCandidate[item] {
      position[item] = Int32(truncatingIfNeeded: candidates.count)
      candidates.append(Int32(truncatingIfNeeded: item))
    }
    return Candidates(
      choice: CandidateChoice(
        anchors: Array(batch.userIndex[..<count]), candidates: candidates,
        chosen: batch.positiveIndex[..<count].map { position[Int($0)] }),
      temperature: temperature)
  }
}

/// The settings of a choice among candidates, and whether the backbone's own ranking term is one.
public struct CandidateSettings: SettingGroup {
  public let backboneLikelihood = Setting(
    "backbone_likelihood", default: BackboneLikelihood.own,
    help: "What the backbone's own ranking term is: its own loss, or a choice among candidates by"
      + " the vectors of its score (a sampled soft-max).")
  public let temperature = Setting(
    "likelihood_temperature", default: 0.2, .within(0.01...100),
    help: "τ of a choice among candidates: what cosines are divided by (docs/MRdIB.md).")
  public let anchors = Setting(
    "anchors", default: 512, .within(1...1_048_576), unit: "triplets",
    help: "Triplets of a batch whose users choose among candidates, over all shards together; the"
      + " cost of a step grows with anchors times candidates.")
  public let candidates = Setting(
    "candidates", default: 1024, .within(2...1_048_576), unit: "items",
    help: "Items of a shard's batch to choose among, at most: those of its anchors first.")

  public init() {}
}

/// What a backbone's own ranking term is.
public enum BackboneLikelihood: String, SettingChoice {
  /// What its authors chose.
  case own
  /// A choice among candidates.
  case candidates
}
