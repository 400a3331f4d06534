internal import CWireMessages
internal import ForeignText

extension HeaderArena {
  mutating func reports(
    _ reports: [UnitReport]
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<Mrdib__V1__UnitReport>?> {
    list(reports, of: mrdib__v1__unit_report__init) { report, wire, arena in
      wire.unit = report.unit
      wire.n_sums = report.sums.count
      wire.sums = arena.sums(report.sums)
    }
  }

  mutating func sums(
    _ sums: [String: Double]
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<Mrdib__V1__NamedSum>?> {
    // Ascending, so that equal sums are equal bytes.
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
          report.pointee.sums, count: report.pointee.n_sums, of: "unit \(report.pointee.unit)"))
    }
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
        throw malformed("it reports '\(name.shown())' of \(subject) twice")
      }
    }
    return sums
  }
}
