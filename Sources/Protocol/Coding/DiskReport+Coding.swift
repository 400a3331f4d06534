internal import CWireMessages

extension HeaderArena {
  mutating func inspected(_ report: DiskReport) -> UnsafeMutablePointer<Mrdib__V1__Inspected> {
    let wire = make(mrdib__v1__inspected__init)
    wire.pointee.data_endpoint = string(report.dataEndpoint)
    wire.pointee.term = report.term
    wire.pointee.generation = report.generation
    wire.pointee.n_records = report.records.count
    wire.pointee.records = list(report.records, of: mrdib__v1__held_records__init) {
      records, wire, arena in
      wire.run_id = arena.string(records.runID)
      wire.generation = records.generation
      wire.version = records.version
      wire.byte_count = records.byteCount
      wire.digest = arena.string(records.digest)
      wire.configuration_digest = arena.string(records.configurationDigest)
      wire.data_digest = arena.string(records.dataDigest)
      wire.epochs_finished = records.epochsFinished
      wire.is_over = records.isOver ? 1 : 0
    }
    return wire
  }
}

extension WireReader {
  func diskReport(_ wire: Mrdib__V1__Inspected) throws(WireError) -> DiskReport {
    DiskReport(
      dataEndpoint: try text(wire.data_endpoint, "data endpoint"),
      term: try number(wire.term, "term", upTo: limits.generations),
      generation: try generation(wire.generation),
      records: try list(
        wire.records, count: wire.n_records, atMost: limits.heldRecords, "copies of records"
      ) { (records) throws(WireError) in
        try heldRecords(records.pointee)
      })
  }

  private func heldRecords(_ wire: Mrdib__V1__HeldRecords) throws(WireError) -> HeldRecords {
    HeldRecords(
      runID: try text(wire.run_id, "run id"), generation: try generation(wire.generation),
      version: try version(wire.version),
      byteCount: try quantity(wire.byte_count, "number of bytes of a file"),
      digest: try text(wire.digest, "digest"),
      configurationDigest: try text(wire.configuration_digest, "digest of a configuration"),
      dataDigest: try text(wire.data_digest, "digest of data"),
      epochsFinished: try epochOrBlock(wire.epochs_finished, "epoch"), isOver: wire.is_over != 0)
  }
}
