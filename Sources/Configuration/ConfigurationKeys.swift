import ParameterServer
import Recommenders
import Settings

/// The key table: all settings.
package struct ConfigurationKeys: Sendable {
  package let data: DataKeys = .init()
  package let model: ModelKeys = .init()
  package let training: TrainingKeys = .init()
  package let selection: SelectionKeys = .init()
  package let candidates: CandidateSettings = .init()
  package let mrdib: MRdIB.Settings = .init()
  package let redundancy: RedundancySettings = .init()
  package let cluster: ClusterKeys = .init()
  package let checkpoints: CheckpointKeys = .init()
  package let reports: ReportKeys = .init()

  static let table = ConfigurationKeys()

  /// The sections in the order in which they are listed. The settings that models, estimators,
  /// optimizers and metrics declare in their own files are collected here.
  static let sections: [ConfigurationSection] = [
    ConfigurationSection("Data", DataKeys.self),
    ConfigurationSection("Model", ModelKeys.self).adding(modelKeys),
    ConfigurationSection("Training", TrainingKeys.self) { name in
      name == table.training.stalenessBound.name ? .ssp : .always
    },
    ConfigurationSection("Settings of single optimizers", optimizerKeys),
    ConfigurationSection("Evaluation and selection", SelectionKeys.self),
    ConfigurationSection("Choices among candidates", CandidateSettings.self) { name in
      name == table.candidates.backboneLikelihood.name ? .always : .candidates
    },
    ConfigurationSection("MRdIB", MRdIB.Settings.self) { name in
      switch name {
      case table.mrdib.prior.name, table.mrdib.deviation.name: .absoluteCodes
      case table.mrdib.gateLimit.name: .gate
      default: .mrdib
      }
    },
    ConfigurationSection("Redundancy between modalities", RedundancySettings.self) { _ in .mrdib }
      .adding(estimatorKeys),
    ConfigurationSection("Cluster", ClusterKeys.self),
    ConfigurationSection("Checkpoints", CheckpointKeys.self),
    ConfigurationSection("Records", ReportKeys.self),
  ]

  private static var modelKeys: [ConfigurationKey] {
    let models = ModelRegistry.all.map { (owner: $0.name, settings: $0.settings) }
    return SharedSetting.collect(models).map { shared in
      ConfigurationKey(shared.setting, .models(shared.owners, of: models.map(\.owner)))
    }
  }

  private static var estimatorKeys: [ConfigurationKey] {
    SharedSetting.collect(EstimatorRegistry.all.map { ($0.name, $0.settings) }).map { shared in
      ConfigurationKey(shared.setting, .estimators(shared.owners))
    }
  }

  private static var optimizerKeys: [ConfigurationKey] {
    OptimizerRegistry.settings.flatMap { optimizer, settings in
      settings.map { ConfigurationKey($0, .optimizer(optimizer)) }
    }
  }

  /// All keys, section by section.
  package static let all = sections.flatMap(\.keys)

  /// Settings that were added when runs existed whose records lack them. Their defaults are what
  /// those runs trained, so they are decisive only where they have another value.
  static let namesOfAdded: Set<String> = {
    let (data, candidates, mrdib) = (table.data, table.candidates, table.mrdib)
    let (selection, training) = (table.selection, table.training)
    return [
      data.initialWeightsDigest.name, data.missing.name, data.missingRate.name,
      data.nanRows.name, data.shuffledModality.name, candidates.backboneLikelihood.name,
      mrdib.ranked.name,
      mrdib.codeScale.name, mrdib.isGated.name, selection.evaluationUsers.name,
      training.momentPrecision.name, training.expiryEpochs.name,
      training.admissionCount.name, training.epochSteps.name,
      CommonSettings.graphMode.name, CommonSettings.fanOuts.name,
    ]
  }()

  /// Keys by name and by alias.
  static let byName = Dictionary(
    all.flatMap { key in ([key.name] + key.aliases).map { ($0, key) } },
    uniquingKeysWith: { first, _ in first })

  /// Checks the settings that models, metrics and estimators of a program add: their names, their
  /// defaults, and that no name stands for two different settings.
  ///
  /// - Throws: `RegistrationError` that names the setting.
  package static func check() throws(RegistrationError) { try check(all.map(\.declaration)) }

  package static func check(
    _ settings: [any SettingDeclaration]
  ) throws(RegistrationError) {
    var owners: [String: String] = [:]
    for setting in settings {
      let names = [setting.name] + setting.aliases
      guard names.allSatisfy(isPlainName) else {
        throw RegistrationError(
          description: "Cannot list the setting '\(setting.name)': its names may consist of a–z, "
            + "0–9 and _ only.")
      }
      guard setting.acceptsDefault else {
        throw RegistrationError(
          description: "Cannot list the setting '\(setting.name)': its default "
            + "\(setting.anyDefault.yaml) is not what it expects, \(setting.expectation).")
      }
      for name in names {
        guard let other = owners.updateValue(setting.name, forKey: name) else { continue }
        throw RegistrationError(
          description: "Cannot list the settings: '\(name)' is declared twice with different "
            + "meanings, as '\(setting.name)' and as '\(other)'. Choose another name for the "
            + "setting that was added, or declare both with the same constant.")
      }
    }
  }
}

/// A setting and everything that declares it, such as two models.
private struct SharedSetting {
  let setting: any SettingDeclaration
  var owners: [String]

  /// Joins declarations that agree, in the order in which they come first.
  static func collect(
    _ declarations: [(owner: String, settings: [any SettingDeclaration])]
  ) -> [SharedSetting] {
    var result: [SharedSetting] = []
    for (owner, settings) in declarations {
      for setting in settings {
        if let index = result.firstIndex(where: { $0.setting.agrees(with: setting) }) {
          result[index].owners.append(owner)
        } else {
          result.append(SharedSetting(setting: setting, owners: [owner]))
        }
      }
    }
    return result
  }
}
