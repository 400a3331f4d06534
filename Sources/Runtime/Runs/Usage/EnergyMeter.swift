import Files

/// The energy counters of a machine's processors (RAPL), where the system shows them: on Intel and
/// AMD processors, not in most virtual machines, and often to root alone.
///
/// Read it every minute or more often: a counter of 262 kJ, a usual size, is full after 17 minutes
/// at 250 W.
///
/// - Source: the kernel's `powercap` interface: `energy_uj` counts µJ up to `max_energy_range_uj`.
package struct EnergyMeter: Sendable {
  private struct Zone {
    let path: String
    /// µJ at which the counter begins again.
    let range: UInt64
    var last: UInt64
  }

  private static let folder = "/sys/class/powercap"

  private var zones: [Zone] = []
  /// Since the meter was made.
  package private(set) var joules: Double = 0

  /// - Parameter folder: where the kernel shows the counters.
  /// - Returns: nil if there are none that can be read.
  package init?(folder: String = Self.folder) {
    // Zones of whole processors; `intel-rapl:0:1` is a part of `intel-rapl:0`.
    let names = (try? PlainFile.names(in: folder, atMost: 4096)) ?? []
    for name in names where name.wholeMatch(of: /intel-rapl:\d+/) != nil {
      let path = "\(folder)/\(name)"
      guard let last = Self.number("\(path)/energy_uj"),
        let range = Self.number("\(path)/max_energy_range_uj")
      else { continue }
      zones.append(Zone(path: path, range: range, last: last))
    }
    if zones.isEmpty { return nil }
  }

  /// Adds what was used since the last time.
  package mutating func read() {
    for index in zones.indices {
      let zone = zones[index]
      guard let now = Self.number("\(zone.path)/energy_uj") else { continue }
      let used =
        now >= zone.last ? now - zone.last : zone.range &- min(zone.last, zone.range) &+ now
      joules += Double(used) / 1e6
      zones[index].last = now
    }
  }

  private static func number(_ path: String) -> UInt64? {
    guard let bytes = try? PlainFile.contents(of: path, atMost: 64) else { return nil }
    return UInt64(String(decoding: bytes, as: UTF8.self).prefix { $0.isNumber })
  }
}
