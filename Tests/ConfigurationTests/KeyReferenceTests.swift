import Configuration
import Foundation
import Settings
import Testing

@Suite struct KeyReferenceTests {
  private static func settings(_ reference: KeyReference) throws -> [[String: Any]] {
    let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(reference))
    return try #require((object as? [String: Any])?["settings"] as? [[String: Any]])
  }

  private static func names(_ word: String) throws -> [String] {
    try settings(KeyReference(matching: word)).compactMap { $0["name"] as? String }
  }

  @Test("a word is found in names, other names, titles of sections and models")
  func matching() throws {
    #expect(try Self.names("alpha") == ["alpha1", "alpha2", "alpha3"])
    #expect(try Self.names("LR_decay").contains("lr_decay_period"))
    // An alias of learning_rate.
    #expect(try Self.names("lr").contains("learning_rate"))
    #expect(try Self.names("checkpoints").contains("checkpoint_keep"))
    let soil = try Self.names("soil")
    #expect(soil.contains("interest_k") && !soil.contains("user_neighbours"))
  }

  @Test("a word that no setting has is refused with a similar name")
  func unknown() {
    let error = #expect(throws: ConfigurationError.self) {
      try KeyReference(matching: "embeding_size")
    }
    #expect(error?.description.contains("did you mean 'embedding_size'?") == true)
  }

  @Test("JSON has every setting, with a default of its own type")
  func json() throws {
    let settings = try Self.settings(.all)
    #expect(settings.count == ConfigurationKeys.all.count)
    func value(_ name: String) -> Any? {
      settings.first { $0["name"] as? String == name }?["default"]
    }
    #expect(value("seed") as? Int == 999)
    #expect(value("learning_rate") is Double)
    #expect(value("routing") as? Bool == false)
    #expect(value("model") as? String == "vbpr")
    #expect((value("topk") as? [Int])?.contains(20) == true)
    #expect((value("metrics") as? [String])?.first == "recall")
    #expect(value("selection_metric") as? String == "recall@20")
  }

  @Test("settings of a run: values with their sources, and whether they have an effect")
  func sourced() throws {
    let settings = try resolve("model: bpr\nmodalities: [visual:a.npy]").sourcedSettings
    let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(settings))
    let list = try #require(object as? [[String: Any]])
    let modalities = try #require(list.first { $0["name"] as? String == "modalities" })
    #expect(modalities["value"] as? [String] == ["visual:a.npy"])
    #expect((modalities["source"] as? String)?.hasPrefix("run.yaml:2") == true)
    let layers = try #require(list.first { $0["name"] as? String == "n_layers" })
    #expect(layers["in_effect"] as? Bool == false)
  }
}
