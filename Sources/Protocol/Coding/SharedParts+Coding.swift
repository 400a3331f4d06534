internal import CWireMessages
import Files

extension HeaderArena {
  mutating func refusal(_ refusal: Refusal) -> UnsafeMutablePointer<Mrdib__V1__Refusal> {
    let wire = make(mrdib__v1__refusal__init)
    wire.pointee.code = Mrdib__V1__RefusalCode(rawValue: refusal.code.rawValue)
    wire.pointee.message = sentence(refusal.message)
    wire.pointee.version = refusal.version
    return wire
  }
}

extension WireReader {
  func refusal(
    _ pointer: UnsafeMutablePointer<Mrdib__V1__Refusal>?
  ) throws(WireError) -> Refusal {
    let wire = try required(pointer, "refusal")
    return Refusal(
      code: try enumeration(wire.code.rawValue, "refusal code"),
      message: try text(wire.message, "refusal message"), version: try version(wire.version))
  }
}

extension HeaderArena {
  mutating func reports(
    _ reports: [UnitReport]
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<Mrdib__V1__UnitReport>?> {
    list(reports, of: mrdib__v1__unit_report__init) { report, wire, arena in
      wire.unit = report.unit
      wire.n_sums = report.sums.count
      wire.sums = arena.sums(report.sums)
      wire.n_counts = report.counts.count
      wire.counts = arena.counts(report.counts)
    }
  }

  private mutating func counts(
    _ counts: [String: ItemCounts]
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<Mrdib__V1__NamedCounts>?> {
    let ordered = counts.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    return list(ordered, of: mrdib__v1__named_counts__init) { named, wire, arena in
      var previous: UInt32 = 0
      let gaps = named.value.items.map { item in
        defer { previous = item }
        return item - previous
      }
      wire.name = arena.string(named.key)
      wire.n_gaps = gaps.count
      wire.gaps = arena.array(gaps)
      wire.n_counts = named.value.counts.count
      wire.counts = arena.array(named.value.counts)
    }
  }

  mutating func sums(
    _ sums: [String: Double]
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<Mrdib__V1__NamedSum>?> {
    // Ascending, so that equal sums have equal bytes.
    let ordered = sums.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    return list(ordered, of: mrdib__v1__named_sum__init) { sum, wire, arena in
      wire.name = arena.string(sum.key)
      wire.value = sum.value
    }
  }
}

extension WireReader {
  func reports(
    _ pointer: UnsafeMutablePointer<UnsafeMutablePointer<Mrdib__V1__UnitReport>?>?, count: Int
  ) throws(WireError) -> [UnitReport] {
    try list(
      pointer, count: count, atMost: limits.unitReports, "unit reports"
    ) { (report) throws(WireError) in
      UnitReport(
        unit: try epochOrBlock(report.pointee.unit, "unit of a report"),
        sums: try sums(
          report.pointee.sums, count: report.pointee.n_sums, of: "unit \(report.pointee.unit)"),
        counts: try counts(report.pointee))
    }
  }

  private func counts(
    _ report: Mrdib__V1__UnitReport
  ) throws(WireError) -> [String: ItemCounts] {
    let subject = "unit \(report.unit)"
    let named = try list(
      report.counts, count: report.n_counts, atMost: limits.countsPerReport,
      "named counts of \(subject)"
    ) { (counts) throws(WireError) in
      let name = try text(counts.pointee.name, "name of counts")
      let owner = "'\(name.sanitized())' of \(subject)"
      return (name: name, counts: try itemCounts(counts.pointee, owner))
    }
    var result: [String: ItemCounts] = [:]
    for (name, counts) in named {
      guard result.updateValue(counts, forKey: name) == nil else {
        throw malformed("it counts '\(name.sanitized())' of \(subject) twice")
      }
    }
    return result
  }

  private func itemCounts(
    _ wire: Mrdib__V1__NamedCounts, _ subject: String
  ) throws(WireError) -> ItemCounts {
    // An item takes at least one byte of the header.
    let gaps = try numbers(
      wire.gaps, count: wire.n_gaps, atMost: limits.headerBytes, "counted items")
    let counts = try numbers(
      wire.counts, count: wire.n_counts, atMost: limits.headerBytes, "counts of items")
    guard gaps.count == counts.count, !counts.contains(0) else {
      throw malformed("\(subject) does not have one count above 0 for every item")
    }
    var item: UInt32 = 0
    var pairs: [(item: UInt32, count: UInt32)] = []
    pairs.reserveCapacity(gaps.count)
    for (position, gap) in gaps.enumerated() {
      let (next, overflow) = item.addingReportingOverflow(gap)
      guard !overflow, gap > 0 || position == 0 else {
        throw malformed("the items of \(subject) do not ascend")
      }
      item = next
      pairs.append((item: item, count: counts[position]))
    }
    return ItemCounts(pairs)
  }

  func sums(
    _ pointer: UnsafeMutablePointer<UnsafeMutablePointer<Mrdib__V1__NamedSum>?>?, count: Int,
    of subject: String
  ) throws(WireError) -> [String: Double] {
    let pairs = try list(
      pointer, count: count, atMost: limits.sumsPerReport, "sums of \(subject)"
    ) { (sum) throws(WireError) in
      (name: try text(sum.pointee.name, "name of a sum"), value: sum.pointee.value)
    }
    var sums: [String: Double] = [:]
    sums.reserveCapacity(pairs.count)
    for (name, value) in pairs {
      guard sums.updateValue(value, forKey: name) == nil else {
        throw malformed("it reports '\(name.sanitized())' of \(subject) twice")
      }
    }
    return sums
  }
}
