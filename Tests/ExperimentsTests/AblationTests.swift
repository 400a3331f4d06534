import Configuration
import Experiments
import Recommenders
import Runtime
import Settings
import Testing

@Suite struct AblationTests {
  private static let variants = [
    "full", "w/o MIB", "w/o redundancy", "w/o unique", "MIB only", "plain",
  ]

  @Test("every variant is trained with every seed and has the settings of its name")
  func settings() throws {
    let tiny = try TinySweep()
    let seen = Lines()
    let execution = WatchedExecution { input, _ in
      let mrdib = input.configuration.mrdib
      seen.append(
        "\(input.configuration.model.objective.rawValue) \(mrdib.bottleneckWeight) "
          + "\(mrdib.redundancyWeight) \(mrdib.uniqueWeight) \(mrdib.isStochastic) "
          + "\(input.configuration.training.seed)")
      return RoleOutcome(exitCode: .software, message: "not trained here")
    }
    let base = try ConfigurationLayer(
      yaml: TinySweep.settings
        + "mrdib_form: published\nalpha1: 0.1\nalpha2: 0.2\nalpha3: 0.3\n", label: "best.yaml")
    let points = try Ablation.points(base: [base], seeds: [9, 8], resolve: Self.resolve)
    #expect(
      points.map(\.name).prefix(3) == [
        "variant=full seed=9", "variant=full seed=8", "variant=w/o MIB seed=9",
      ])
    _ = try tiny.runner(execution).run(points)
    #expect(
      seen.all == [
        "mrdib 0.1 0.2 0.3 true 9", "mrdib 0.1 0.2 0.3 true 8",
        "mrdib 0.0 0.2 0.3 false 9", "mrdib 0.0 0.2 0.3 false 8",
        "mrdib 0.1 0.0 0.3 true 9", "mrdib 0.1 0.0 0.3 true 8",
        "mrdib 0.1 0.2 0.0 true 9", "mrdib 0.1 0.2 0.0 true 8",
        "mrdib 0.1 0.0 0.0 true 9", "mrdib 0.1 0.0 0.0 true 8",
        "plain 0.1 0.2 0.3 true 9", "plain 0.1 0.2 0.3 true 8",
      ])
  }

  private static func resolve(_ layers: [ConfigurationLayer]) throws -> RunConfiguration {
    try ConfigurationResolver(modelNames: ["vbpr"]).resolve(requested: layers)
  }

  @Test("the gated form's own parts are left out, and no variant repeats another")
  func gatedForm() throws {
    func names(_ settings: String) throws -> [String] {
      let base = try ConfigurationLayer(yaml: "model: vbpr\n" + settings, label: "run.yaml")
      return try Ablation.points(base: [base], seeds: [1], resolve: Self.resolve)
        .map { Ablation.label($0.coordinates) }
    }
    // Its redundancy has the weight 0.
    #expect(
      try names("") == [
        "full", "w/o MIB", "w/o unique", "MIB only", "w/o gate", "w/o synergy", "synergy only",
        "plain",
      ])
    #expect(
      try names("alpha2: 0.05\ngate: false\n") == [
        "full", "w/o MIB", "w/o redundancy", "w/o unique", "MIB only", "w/o synergy",
        "synergy only", "plain",
      ])
    // Without these terms nothing but the backbone's own loss would be left.
    #expect(
      try names("synergy_weight: 0\nalpha3: 0\n") == ["full", "w/o gate", "plain"])
    #expect(
      try names("alpha2: 0\nalpha3: 0\nmrdib_form: published\n") == [
        "full", "w/o MIB", "plain",
      ])
  }

  @Test("modalities: each left out and shuffled; of three also each alone")
  func modalities() throws {
    let tiny = try TinySweep()
    let seen = Lines()
    let execution = WatchedExecution { input, _ in
      let data = input.configuration.data
      seen.append(
        data.modalities.map(\.name).joined(separator: "+") + " " + data.shuffledModality)
      return RoleOutcome(exitCode: .software, message: "not trained here")
    }
    let base = try ConfigurationLayer(yaml: TinySweep.settings, label: "best.yaml")
    let files = [("visual", "image_feat.npy"), ("text", "text_feat.npy")]
    _ = try tiny.runner(execution).run(
      Ablation.modalityPoints(base: [base], modalities: files, seeds: [1]))
    #expect(
      seen.all == ["visual+text ", "text ", "visual ", "visual+text visual", "visual+text text"])
    let three = try Ablation.modalityPoints(
      base: [base], modalities: files + [("audio", "audio_feat.npy")], seeds: [1])
    #expect(
      three.map { Ablation.label($0.coordinates) } == [
        "full", "w/o visual", "w/o text", "w/o audio", "shuffled visual", "shuffled text",
        "shuffled audio", "only visual", "only text", "only audio",
      ])
  }

  @Test("a model that fuses two modalities has the settings for one where it is alone")
  func modalitiesOfVIRAL() throws {
    let tiny = try TinySweep()
    let seen = Lines()
    let execution = WatchedExecution { input, _ in
      let fusion = input.configuration.values[VIRAL.Settings.self].fusion
      seen.append(
        input.configuration.data.modalities.map(\.name).joined(separator: "+") + " "
          + fusion.rawValue)
      return RoleOutcome(exitCode: .software, message: "not trained here")
    }
    let base = try ConfigurationLayer(
      yaml: TinySweep.settings.replacing("vbpr", with: "viral") + "input_width: pad\n",
      label: "best.yaml")
    let points = try Ablation.modalityPoints(
      base: [base], modalities: [("visual", "image_feat.npy"), ("text", "text_feat.npy")],
      seeds: [1], model: VIRAL.self)
    _ = try tiny.runner(execution).run(points)
    #expect(
      seen.all == [
        "visual+text full", "text text_only", "visual visual_only", "visual+text full",
        "visual+text full",
      ])
  }

  @Test("the table has a row per variant, the full model as the baseline")
  func table() throws {
    let tiny = try TinySweep()
    let base = try ConfigurationLayer(
      yaml: TinySweep.settings + "mrdib_form: published\n", label: "best.yaml")
    let runs = try tiny.runner().run(
      Ablation.points(base: [base], seeds: [1, 2], resolve: Self.resolve))
    let report = try ComparisonReport(
      ComparedGroup.groups(runs, in: tiny.sweep, label: Ablation.label),
      metrics: ["recall@5"], split: .test
    ) { try PerUserMetrics.load(run: $0.path) }
    #expect(report.rows.map(\.label) == Self.variants)
    #expect(report.rows[0].differences.isEmpty)
    #expect(report.rows.dropFirst().allSatisfy { $0.differences["recall@5"]?.userCount ?? 0 > 0 })
    #expect(report.rows.allSatisfy { $0.seeds == [1, 2] })
  }

  @Test("a base that is a grid is refused: one configuration is ablated")
  func gridBase() throws {
    let tiny = try TinySweep()
    let base = try ConfigurationLayer(
      yaml: "alpha1: [0.1]\nhyper_parameters: [alpha1]", label: "best.yaml")
    #expect {
      try tiny.runner().run(
        Ablation.points(base: [base], seeds: [1], resolve: Self.resolve))
    } throws: { "\($0)".contains("best.yaml:2:1") && "\($0)".contains("sweep") }
  }
}
