import Models
import RunConfiguration

extension ModelOptions {
  /// The model's options that a configuration asks for.
  init(_ configuration: RunConfiguration) {
    let model = configuration.model
    self.init(
      embeddingSize: model.embeddingSize, regularization: Float(model.regularizationWeight))
    batchSize = configuration.training.batchSize
    layers = model.layers
    itemNeighbours = model.itemNeighbours
    edgeDropout = model.edgeDropout
    firstModalityWeight = Float(model.firstModalityWeight)
    contrastiveWeight = Float(model.contrastiveWeight)
    jointContrastiveWeight = Float(model.jointContrastiveWeight)
    interestCount = model.interestCount
    secondOrderCount = model.secondOrderCount
    secondOrderDegrees = model.secondOrderDegrees == .faithful ? .faithful : .fixed
    trainsFeatures = model.trainsFeatures
    trainsIDs = model.trainsIDs
    hasAliasBug = model.hasAliasBug
    userNeighbours = model.userNeighbours
    padsNeighbours = model.padsNeighbours
    isRouted = model.isRouted
    staleRanking =
      switch model.staleRanking {
      case .faithful: nil
      case .always: true
      case .never: false
      }
  }
}
