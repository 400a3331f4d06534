import Settings

/// A fingerprint of what is trained.
extension RunConfiguration {
  /// What decides which model is trained: the settings that have an effect and influence the
  /// result, so not the number of workers. By name; values as YAML.
  package var decisiveSettings: [(name: String, value: String)] {
    ConfigurationKeys.all
      .filter { $0.declaration.influencesResult && $0.scope.includes(self) }
      .map { ($0.name, resolved($0.declaration).value.yaml) }
      .sorted { $0.0 < $1.0 }
  }

  /// 16 hexadecimal digits that two configurations share if they train the same model, that is, if
  /// their ``decisiveSettings`` agree.
  ///
  /// - Source: FNV-1a, 64 bits (Fowler, Noll, Vo), over the lines `name=value` by name. It tells
  ///   runs apart; it is no protection against forgery.
  package var digest: String { digest(ignoring: []) }

  /// A ``digest`` that configurations share whose seeds differ: repetitions of one experiment.
  package var digestAcrossSeeds: String {
    digest(ignoring: [ConfigurationKeys.table.training.seed.name])
  }

  private func digest(ignoring names: Set<String>) -> String {
    let lines = decisiveSettings.filter { !names.contains($0.name) }
      .map { "\($0.name)=\($0.value)\n" }
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in lines.joined().utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
