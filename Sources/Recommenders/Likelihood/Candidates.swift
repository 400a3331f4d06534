import Datasets
import Settings
import Tensors

/// The choices that a shard's triplets are read as: anchors are its first triplets, and each
/// anchor's user u chose its positive item p among candidates C that its group shares.
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

  /// The choices that remain if only some candidates can be chosen: without the anchors that chose
  /// another.
  ///
  /// - Parameter isKept: by row of the distinct items.
  func keeping(_ isKept: (Int) -> Bool) -> Candidates {
    var anchors: [Int32] = []
    var candidates: [Int32] = []
    var chosen: [Int32] = []
    var groups: [CandidateChoice.Group] = []
    var places = [Int32?](repeating: nil, count: choice.candidates.count)
    for group in choice.groups {
      let (firstAnchor, firstCandidate) = (anchors.count, candidates.count)
      for position in group.candidates where isKept(Int(choice.candidates[position])) {
        places[position] = Int32(truncatingIfNeeded: candidates.count)
        candidates.append(choice.candidates[position])
      }
      for anchor in group.anchors {
        guard let place = places[Int(choice.chosen[anchor])] else { continue }
        anchors.append(choice.anchors[anchor])
        chosen.append(place)
      }
      guard anchors.count > firstAnchor else {
        candidates.removeSubrange(firstCandidate...)
        continue
      }
      groups.append(
        .init(
          anchors: firstAnchor..<anchors.count, candidates: firstCandidate..<candidates.count))
    }
    return Candidates(
      choice: CandidateChoice(
        anchors: anchors, candidates: candidates, chosen: chosen, groups: groups),
      temperature: temperature)
  }
}

/// How many of a batch's triplets are anchors, and how many items they choose among.
public struct CandidateRule: Sendable, Equatable {
  /// Anchors of a whole batch, at most.
  let anchorCount: Int
  /// Candidates of an anchor, at most.
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
  /// Groups are as even as possible, and so many that the limit has room for the positive and the
  /// negative items of a group. Further candidates are the items of the triplets that follow the
  /// group in the batch, whose order is random.
  package func candidates(of batch: TripletBatch) -> Candidates {
    let total = max(1, batch.globalCount)
    let count = min(batch.count, (anchorCount * batch.count + total - 1) / total)
    let size = max(1, candidateLimit / 2)
    let groupCount = (count + size - 1) / size
    var selection = CandidateSelection(batch, limit: candidateLimit)
    for group in 0..<groupCount {
      selection.addGroup(count * group / groupCount..<count * (group + 1) / groupCount)
    }
    return Candidates(
      choice: CandidateChoice(
        anchors: Array(batch.userIndex[..<count]), candidates: selection.candidates,
        chosen: selection.chosen, groups: selection.groups),
      temperature: temperature)
  }
}

/// The candidates of one group of anchors after the other.
private struct CandidateSelection {
  private let batch: TripletBatch
  private let limit: Int
  private(set) var candidates: [Int32] = []
  private(set) var chosen: [Int32] = []
  private(set) var groups: [CandidateChoice.Group] = []
  /// Where each distinct item is in the candidates; only what is at or behind the group's first
  /// candidate belongs to the group.
  private var positions: [Int]

  init(_ batch: TripletBatch, limit: Int) {
    self.batch = batch
    self.limit = limit
    positions = Array(repeating: -1, count: batch.distinctItems.count)
  }

  mutating func addGroup(_ anchors: Range<Int>) {
    let first = candidates.count
    func isFull() -> Bool { candidates.count - first >= limit }
    for triplet in anchors {
      chosen.append(Int32(truncatingIfNeeded: add(batch.positiveIndex[triplet], after: first)))
    }
    for triplet in anchors where !isFull() { add(batch.negativeIndex[triplet], after: first) }
    for step in 0..<batch.count - anchors.count where !isFull() {
      let triplet = (anchors.upperBound + step) % batch.count
      add(batch.positiveIndex[triplet], after: first)
      if !isFull() { add(batch.negativeIndex[triplet], after: first) }
    }
    groups.append(.init(anchors: anchors, candidates: first..<candidates.count))
  }

  /// Adds an item unless it is among the candidates from `first` on, and returns its position.
  @discardableResult
  private mutating func add(_ item: Int32, after first: Int) -> Int {
    if positions[Int(item)] >= first { return positions[Int(item)] }
    positions[Int(item)] = candidates.count
    candidates.append(item)
    return candidates.count - 1
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
      + " cost of a step grows with anchors · candidates.")
  public let candidates = Setting(
    "candidates", default: 1024, .within(2...1_048_576), unit: "items",
    help: "Items to choose among, at most; each group of half as many anchors has candidates of its"
      + " own, which are their items first.")

  public init() {}
}

/// What a backbone's own ranking term is.
public enum BackboneLikelihood: String, SettingChoice {
  /// What its authors chose.
  case own
  /// A choice among candidates.
  case candidates
}
