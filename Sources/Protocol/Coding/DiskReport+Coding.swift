internal import CWireMessages

extension HeaderArena {
  mutating func inspect(_ question: DiskQuestion) -> UnsafeMutablePointer<Mrdib__V1__Inspect> {
    let wire = make(mrdib__v1__inspect__init)
    wire.pointee.folder = string(question.folder)
    wire.pointee.run_id = string(question.runID)
    wire.pointee.n_generations = question.checkpoints.count
    wire.pointee.generations = array(question.checkpoints.map(\.generation))
    wire.pointee.n_versions = question.checkpoints.count
    wire.pointee.versions = array(question.checkpoints.map(\.version))
    return wire
  }

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
    wire.pointee.n_rows = report.rows.count
    wire.pointee.rows = list(report.rows, of: mrdib__v1__held_rows__init) { rows, wire, arena in
      wire.generation = rows.generation
      wire.version = rows.version
      wire.rank = rows.rank
      wire.digest = arena.string(rows.digest)
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
      },
      rows: try list(
        wire.rows, count: wire.n_rows, atMost: limits.heldRows, "files of checkpoints"
      ) { (rows) throws(WireError) in
        HeldRows(
          generation: try generation(rows.pointee.generation),
          version: try version(rows.pointee.version), rank: try rank(rows.pointee.rank),
          digest: try text(rows.pointee.digest, "digest"))
      })
  }

  func diskQuestion(_ wire: Mrdib__V1__Inspect) throws(WireError) -> DiskQuestion {
    let generations = try numbers(
      wire.generations, count: wire.n_generations, atMost: limits.heldRows, "generations")
    let versions = try numbers(
      wire.versions, count: wire.n_versions, atMost: limits.heldRows, "versions")
    guard generations.count == versions.count else {
      throw malformed("it asks for \(versions.count) versions of \(generations.count) generations")
    }
    var checkpoints: [DiskQuestion.Checkpoint] = []
    for (number, versionNumber) in zip(generations, versions) {
      checkpoints.append(
        .init(generation: try generation(number), version: try version(versionNumber)))
    }
    return DiskQuestion(
      folder: try text(wire.folder, "folder"), runID: try text(wire.run_id, "run id"),
      checkpoints: checkpoints)
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
