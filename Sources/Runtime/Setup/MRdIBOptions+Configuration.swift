import Models
import RunConfiguration

extension MRdIBOptions {
  /// The objective that a configuration asks for.
  init(_ configuration: RunConfiguration) {
    self.init()
    let mrdib = configuration.mrdib
    let redundancy = configuration.redundancy
    bottleneckWeight = Float(mrdib.alpha1)
    redundancyWeight = Float(mrdib.alpha2)
    uniqueWeight = Float(mrdib.alpha3)
    synergyWeight = Float(mrdib.synergyWeight)
    isStochastic = mrdib.stochastic
    reduction = mrdib.klReduction == .mean ? .mean : .sum
    likelihood = mrdib.likelihood == .bpr ? .bpr : .bce
    head = mrdib.contentHead == .reuse ? .reuse : .linear
    decoder = mrdib.decoder == .identity ? .identity : .linear
    prior = mrdib.prior == .standard ? .standard : .matched
    deviation = mrdib.initialSigma == .unit ? .unit : .relative
    logVarianceRange = Float(mrdib.smallestLogVariance)...Float(mrdib.largestLogVariance)
    estimator =
      switch redundancy.estimator {
      case .donskerVaradhan: .donskerVaradhan
      case .club: .club
      case .infoNCE: .infoNCE
      case .crossCorrelation: .crossCorrelation
      }
    pairs = redundancy.pairs == .positives ? .positives : .batchItems
    hiddenSize = redundancy.hiddenSize
    statisticCap = Float(redundancy.cap)
    averageRate = Float(redundancy.movingAverageRate)
    skipsNegativeEstimates = redundancy.skipsNegative
    temperature = Float(redundancy.temperature)
  }
}
