/// A fingerprint of what is trained.
extension RunConfiguration {
  /// 16 hexadecimal digits that two configurations share if they train the same model: those
  /// settings count that have an effect and influence the result, so not the number of workers.
  ///
  /// - Source: FNV-1a, 64 bits (Fowler, Noll, Vo), over the lines `name=value` by name. It tells
  ///   runs apart; it is no protection against forgery.
  public var digest: String {
    let lines = ConfigurationKeys.all
      .filter { $0.influencesResult && $0.scope.includes(self) }
      .map { "\($0.name)=\(setting($0).value.yaml)\n" }
      .sorted()
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in lines.joined().utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
