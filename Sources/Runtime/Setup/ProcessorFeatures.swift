import Files

/// What the processor can do, by the names that Linux gives to it, such as `avx2`.
public struct ProcessorFeatures: Sendable, Equatable {
  public let names: Set<String>

  public init(names: Set<String>) { self.names = names }

  /// - Parameter cpuInfo: text in the form of `/proc/cpuinfo`.
  package init(cpuInfo: String) {
    let line = cpuInfo.split(separator: "\n").first { $0.hasPrefix("flags") }
    names = Set(line?.split(whereSeparator: \.isWhitespace).map(String.init) ?? [])
  }

  /// Those of this machine.
  public static let current = ProcessorFeatures(cpuInfo: cpuInfo)

  /// What Linux says about the processors; empty where it says nothing.
  static let cpuInfo: String = {
    let bytes = (try? PlainFile.contents(of: "/proc/cpuinfo", atMost: 64 << 20)) ?? []
    return String(decoding: bytes, as: UTF8.self)
  }()

  func has(_ needed: some Sequence<String>) -> Bool { needed.allSatisfy(names.contains) }
}
