import Datasets
import Foundation
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

/// Which triplets of a batch choose, among which items.
@Suite struct CandidatesTests {
  private func rule(anchors: Int, candidates: Int) -> CandidateRule {
    var settings = SettingValues<CandidateSettings>()
    settings.anchors = anchors
    settings.candidates = candidates
    return CandidateRule(settings)
  }

  private func batch(_ range: Range<Int>, of count: Int = 40) -> TripletBatch {
    TripletBatch(
      users: range.map { Int32(($0 * 7) % 9) }, positives: range.map { Int32(($0 * 5) % 13) },
      negatives: range.map { Int32(20 + ($0 * 3) % 17) }, globalCount: count)
  }

  @Test("anchors are the first triplets, and each chose its own positive item")
  func anchors() {
    let batch = batch(0..<40)
    let choice = rule(anchors: 10, candidates: 1000).candidates(of: batch).choice
    #expect(choice.anchors == Array(batch.userIndex[..<10]))
    for (triplet, chosen) in choice.chosen.enumerated() {
      let item = batch.distinctItems[Int(choice.candidates[Int(chosen)])]
      #expect(item == batch.positives[triplet])
    }
    #expect(choice.candidates.sorted() == (0..<Int32(batch.distinctItems.count)).map { $0 })
    #expect(choice.groups.count == 1)
  }

  @Test("each group has room for the items of its anchors, which come first, then for others")
  func groups() {
    let batch = batch(0..<40)
    func check(limit: Int, groups: Int) {
      let choice = rule(anchors: 11, candidates: limit).candidates(of: batch).choice
      #expect(choice.anchors.count == 11 && choice.groups.count == groups)
      for group in choice.groups {
        let items = choice.candidates[group.candidates].map { batch.distinctItems[Int($0)] }
        let own = group.anchors.flatMap { [batch.positives[$0], batch.negatives[$0]] }
        #expect(items.count == min(limit, batch.distinctItems.count))
        #expect(Set(items).count == items.count && Set(items).isSuperset(of: own))
        #expect(Set(own).isSuperset(of: items.prefix(Set(own).count)))
        for anchor in group.anchors {
          let chosen = choice.candidates[Int(choice.chosen[anchor])]
          #expect(batch.distinctItems[Int(chosen)] == batch.positives[anchor])
        }
      }
    }
    check(limit: 1000, groups: 1)
    check(limit: 22, groups: 1)
    check(limit: 20, groups: 2)
    check(limit: 7, groups: 4)
    check(limit: 2, groups: 11)
  }

  @Test("shards have their share of the anchors, and every shard with triplets has one")
  func shards() {
    let rule = rule(anchors: 10, candidates: 8)
    func counts(_ ranges: [Range<Int>]) -> [Int] {
      ranges.map { rule.candidates(of: batch($0)).choice.anchors.count }
    }
    #expect(counts([0..<40]) == [10])
    #expect(counts([0..<20, 20..<40]) == [5, 5])
    #expect(counts([0..<1, 1..<1, 1..<40]) == [1, 0, 10])
    #expect(rule.candidates(of: batch(1..<1)).choice.candidates.isEmpty)
  }

  @Test(
    "a backbone's own ranking term as a choice among candidates, with and without content",
    arguments: ["bpr", "vbpr"])
  func backboneLikelihood(name: String) throws {
    let data = try TinyData()
    var settings = SettingStore(embeddingSize: 8, regularization: 0.1)
    settings[CandidateSettings.self].backboneLikelihood = .candidates
    settings[CandidateSettings.self].anchors = 4
    let model = try ModelRegistry.make(
      name,
      input: ModelInput(
        userCount: data.userCount, itemCount: data.itemCount, features: data.features),
      settings: settings, objective: nil, seed: 4)
    let parameters = PlainParameters.initial(of: model, seed: 4)
    let result = parameters.gradients(
      model, data.batch, context: StepContext(seed: 4, epoch: 0, step: 0))

    let (users, items) = parameters.finalVectors(model)
    func cosine(_ user: Int32, _ item: Int32) -> Double {
      let (a, b) = (users.row(Int(user)), items.row(Int(item)))
      let product = zip(a, b).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      let squares = [a, b].map { $0.reduce(0.0) { $0 + Double($1) * Double($1) } }
      return product / (squares[0] * squares[1]).squareRoot()
    }
    let expected = (0..<4).reduce(0.0) { total, triplet in
      let user = data.batch.users[triplet]
      let sum = data.batch.distinctItems.reduce(0.0) { $0 + exp(cosine(user, $1) / 0.2) }
      return total + log(sum) - cosine(user, data.batch.positives[triplet]) / 0.2
    }
    let ranking = try #require(result.shares["ranking"])
    #expect(abs(ranking - expected / 4) < 1e-5)
    #expect(result.loss.terms.allSatisfy { !$0.isAuxiliary })
  }
}
