internal import CWireMessages

extension HeaderArena {
  mutating func name(
    _ name: ContributionName
  ) -> UnsafeMutablePointer<Mrdib__V1__ContributionName> {
    let wire = make(mrdib__v1__contribution_name__init)
    wire.pointee.generation = name.generation
    wire.pointee.version = name.version
    wire.pointee.shard = name.shard
    return wire
  }
}

extension WireReader {
  func name(
    _ pointer: UnsafeMutablePointer<Mrdib__V1__ContributionName>?
  ) throws(WireError) -> ContributionName {
    let wire = try required(pointer, "contribution name")
    // For initial values and final vectors, the shard is the number of a block.
    return ContributionName(
      generation: try generation(wire.generation), version: try version(wire.version),
      shard: try epochOrBlock(wire.shard, "shard"))
  }
}

extension HeaderArena {
  mutating func sections(
    _ sections: [TableSection]
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<Mrdib__V1__TableSection>?> {
    list(sections, of: mrdib__v1__table_section__init) { section, wire, _ in
      wire.table = section.table
      wire.row_count = section.rowCount
      wire.width = section.width
      wire.is_whole = section.isWhole ? 1 : 0
    }
  }
}

extension WireReader {
  func sections(
    _ pointer: UnsafeMutablePointer<UnsafeMutablePointer<Mrdib__V1__TableSection>?>?, count: Int
  ) throws(WireError) -> [TableSection] {
    try list(
      pointer, count: count, atMost: limits.sections, "sections"
    ) { (wire) throws(WireError) in
      TableSection(
        table: try number(wire.pointee.table, "table of a section", upTo: limits.sections - 1),
        rowCount: try number(
          wire.pointee.row_count, "number of rows of a section", upTo: limits.rows),
        width: try number(wire.pointee.width, "width of a section", upTo: limits.rowWidth),
        isWhole: wire.pointee.is_whole != 0)
    }
  }

  /// Rows with their keys in the second and third frame of a message.
  func gradientRows(
    _ pointer: UnsafeMutablePointer<UnsafeMutablePointer<Mrdib__V1__TableSection>?>?, count: Int,
    _ message: WireMessage
  ) throws(WireError) -> GradientRows {
    let sections = try sections(pointer, count: count)
    guard !sections.contains(where: \.isWhole) else {
      throw malformed("a section of a reduction has no keys")
    }
    try checkByteCount(message.frames[1], is: try keyByteCount(sections), "keys")
    try checkByteCount(message.frames[2], is: try valueByteCount(sections), "values")
    return GradientRows(sections: sections, keys: message.frames[1], values: message.frames[2])
  }

  /// Bytes of the keys of `sections`; whole sections have none.
  func keyByteCount(_ sections: [TableSection]) throws(WireError) -> Int {
    try byteCount(sections) { $0.isWhole ? 0 : UInt64($0.rowCount) }
  }

  /// Bytes of the values of `sections`.
  func valueByteCount(_ sections: [TableSection]) throws(WireError) -> Int {
    try byteCount(sections) { UInt64($0.rowCount) * UInt64($0.width) }
  }

  /// Keys and values have four bytes each. The counts come from the peer, so sums may overflow.
  private func byteCount(
    _ sections: [TableSection], elements: (TableSection) -> UInt64
  ) throws(WireError) -> Int {
    var total: UInt64 = 0
    for section in sections {
      let (bytes, overflows) = elements(section).multipliedReportingOverflow(by: 4)
      let (sum, sumOverflows) = total.addingReportingOverflow(bytes)
      guard !overflows, !sumOverflows, Int(exactly: sum) != nil else {
        throw malformed("its sections announce more bytes than can be counted")
      }
      total = sum
    }
    return Int(total)
  }
}
