import Recommenders
import Settings

extension SettingStore {
  /// The settings of a model of some width.
  init(embeddingSize: Int, regularization: Double) {
    self.init()
    self[CommonSettings.embeddingSize] = embeddingSize
    self[CommonSettings.regularization] = regularization
  }
}
