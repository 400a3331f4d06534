import Datasets
import Foundation
import Tensors
import Testing

/// Figures of the published data sets, from their own descriptions.
@Suite(
  "published data sets",
  .enabled(if: RealData.isThere, "skipped: set MRDIB_DATA to the folder that holds the data sets"))
struct RealDataTests {
  @Test("Last.fm has the published counts, and three modalities if asked for")
  func lastFM() throws {
    let modalities =
      ModalityDescription.standard + [.init(name: "whisper", file: "whisper_feat.npy")]
    let dataset = try Dataset.load(
      folder: RealData.path("lfm2k"), modalities: modalities, needsFeatures: true)
    #expect(dataset.userCount == 1858 && dataset.itemCount == 1425)
    #expect(dataset.trainUsers.count == 44327 && dataset.train.columns.count == 44327)
    #expect(dataset.valid.columns.count == 4799 && dataset.test.columns.count == 7219)
    #expect(dataset.features.map(\.columns) == [128, 384, 512])
    #expect(dataset.dropped.users == 0 && dataset.negativePool.count == 1425)
  }

  @Test("TikTok has the published counts; ten users without training rows are dropped")
  func tiktok() throws {
    let dataset = try Dataset.load(folder: RealData.path("tiktok"), needsFeatures: true)
    #expect(dataset.userCount == 9308 && dataset.itemCount == 6710)
    #expect(dataset.trainUsers.count == 59541)
    #expect(dataset.dropped.users == 10 && dataset.dropped.valid == 5 && dataset.dropped.test == 5)
    #expect(dataset.valid.columns.count + dataset.dropped.valid == 3051)
    #expect(dataset.test.columns.count + dataset.dropped.test == 6130)
    #expect(dataset.negativePool.count == 6245)
  }

  @Test("Baby has the published counts")
  func baby() throws {
    #expect(try InteractionFile.read(RealData.path("baby/baby.inter")).count == 160_792)
    let dataset = try Dataset.load(folder: RealData.path("baby"), needsFeatures: false)
    #expect(dataset.userCount == 19445 && dataset.itemCount == 7050)
    #expect(dataset.trainUsers.count == 119_674)
    #expect(dataset.valid.columns.count == 20559 && dataset.test.columns.count == 20559)
    #expect(dataset.negativePool.count == 7048)
  }
}
