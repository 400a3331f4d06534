internal import Foundation
import Settings
import Tables
import Tensors

extension MRdIB {
  /// The tables of the objective and where each part begins in their list.
  struct Layout: Sendable {
    struct Pair: Sendable {
      let left: Int
      let right: Int
      let name: String
      /// The discriminator's tables.
      let discriminator: Range<Int>
    }

    private(set) var tables: [TableSpec] = []
    /// Per modality: the weight of the log-variance; its bias follows.
    private(set) var encoders: [Int] = []
    /// Per modality: Δ of the linear head, where there is one.
    private(set) var heads: [Int?] = []
    /// Per modality: Δ of the linear decoder, where there is one.
    private(set) var decoders: [Int?] = []
    private(set) var pairs: [Pair] = []
    /// `[pairs, 2]`: running means of e^f over marginal pairs and of the estimate.
    private(set) var pairAverages = 0
    /// `[modalities, 1]`: running root mean square of the means; only for a matched prior.
    private(set) var scaleAverages: Int?

    init(
      settings: SettingValues<Settings>, averageRate: Float, modalities: [String], width: Int,
      estimator: any RedundancyEstimator
    ) {
      let logVariance: Initializer =
        switch (settings.codeScale, settings.deviation) {
        case (.relative, _), (_, .unit): .constant(0)
        case (.absolute, .relative): .pushed
        }
      for name in modalities {
        encoders.append(tables.count)
        add("mrdib.\(name).logvar.weight", rows: width, width: width)
        add("mrdib.\(name).logvar.bias", rows: 1, width: width, initializer: logVariance)
        heads.append(settings.head == .linear ? tables.count : nil)
        if settings.head == .linear {
          add("mrdib.\(name).head.delta", rows: width, width: width)
        }
        decoders.append(settings.decoder == .linear ? tables.count : nil)
        if settings.decoder == .linear {
          add("mrdib.\(name).decoder.delta", rows: width, width: width)
        }
      }
      for left in modalities.indices {
        for right in modalities.indices where right > left {
          let name = "\(modalities[left])-\(modalities[right])"
          let first = tables.count
          tables += estimator.tables(prefix: "mrdib.\(name)", width: width)
          pairs.append(
            Pair(left: left, right: right, name: name, discriminator: first..<tables.count))
        }
      }
      pairAverages = tables.count
      addAverage("mrdib.redundancy.average", rows: max(1, pairs.count), width: 2, averageRate)
      if settings.prior == .matched && settings.codeScale == .absolute {
        scaleAverages = tables.count
        addAverage("mrdib.scale.average", rows: modalities.count, width: 1, averageRate)
      }
    }

    private mutating func add(
      _ name: String, rows: Int, width: Int, initializer: Initializer = .constant(0)
    ) {
      tables.append(
        TableSpec(
          name: name, rows: rows, width: width, initializer: initializer, rowsPerBlock: rows))
    }

    private mutating func addAverage(
      _ name: String, rows: Int, width: Int, _ rate: Float
    ) {
      tables.append(
        TableSpec(
          name: name, rows: rows, width: width, initializer: .constant(0),
          rule: .movingAverage(rate: rate), rowsPerBlock: rows))
    }
  }
}

/// The random numbers of a step of MRdIB. It is a protocol only for tests, which reproduce
/// reference values with stored numbers.
package protocol StepNoise: Sendable {
  /// Fills ε of one modality, `[items.count, D]`.
  func fill(_ noise: Matrix, modality: Int, items: [Int32], context: StepContext)

  /// The cyclic shift in `1 ..< count` that makes marginal pairs of a pair of modalities.
  func shift(count: Int, pair: Int, context: StepContext) -> Int
}

/// Numbers keyed by (seed, epoch, step): the ε of an item does not depend on its shard or on the
/// rest of the batch.
struct KeyedStepNoise: StepNoise {
  func fill(_ noise: Matrix, modality: Int, items: [Int32], context: StepContext) {
    let random = CounterRandom(
      seed: context.seed, stream: .noise, epoch: context.epoch | modality << 24,
      step: context.step)
    Lanes.current.forEachRange(of: items.count, elements: 4 * noise.columns) { rows in
      for row in rows {
        NormalDistribution.fill(noise.row(row), random: random, id: Int(items[row]))
      }
    }
  }

  func shift(count: Int, pair: Int, context: StepContext) -> Int {
    let random = CounterRandom(
      seed: context.seed, stream: .marginalShift, epoch: context.epoch, step: context.step)
    return 1 + random.integer(below: count - 1, id: context.shard, index: pair)
  }
}
