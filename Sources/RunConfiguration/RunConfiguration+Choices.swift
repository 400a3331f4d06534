/// The words that settings choose among.
extension RunConfiguration {
  public enum Objective: String, ConfigurationChoice { case plain, mrdib }

  public enum Faithfulness: String, ConfigurationChoice { case faithful, fixed }
  public enum StaleRanking: String, ConfigurationChoice { case faithful, always, never }
  public enum Consistency: String, ConfigurationChoice { case bsp, ssp, async }

  public enum Compatibility: String, ConfigurationChoice { case none, mmrec }

  public enum StochasticRows: String, ConfigurationChoice { case items }

  public enum ContentHead: String, ConfigurationChoice { case reuse, linear }

  public enum Hook: String, ConfigurationChoice { case final }

  public enum KLReduction: String, ConfigurationChoice { case mean, sum }

  public enum Prior: String, ConfigurationChoice { case standard, matched }

  public enum InitialSigma: String, ConfigurationChoice { case unit, relative }

  public enum Likelihood: String, ConfigurationChoice { case bpr, bce }

  public enum Decoder: String, ConfigurationChoice { case identity, linear }

  public enum RedundancyEstimator: String, ConfigurationChoice {
    case donskerVaradhan = "dv"
    case club
    case infoNCE = "infonce"
    case crossCorrelation = "xcorr"
  }

  public enum RedundancyPairs: String, ConfigurationChoice {
    case positives
    case batchItems = "batch_items"
  }
}
