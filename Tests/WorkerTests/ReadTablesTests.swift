import Protocol
import Tables
import Tensors
import Testing
import Worker

@Suite struct ReadTablesTests {
  @Test("a table that is larger than a pull is read in parts, each row once and in its place")
  func parts() throws {
    let spec = TableSpec(
      name: "item", rows: 50, width: 2, initializer: .constant(0), rowsPerBlock: 1)
    let items = Matrix(rows: spec.rows, columns: spec.width)
    var firstRows: [Int] = []
    let reading = ReadTablesWork(
      routing: TableRouting(tables: [spec], serverCount: 2), tables: [0], version: 3,
      generation: 1, chunkByteCount: 20 * 8
    ) { _, first, rows in
      firstRows.append(first)
      (items.pointer + first * rows.columns).update(from: rows.pointer, count: rows.count)
    }
    var output = try reading.advance(.begin)
    while case .pull(let requests) = output {
      output = try reading.advance(.pulled(requests.map { answer($0.body) }))
    }
    #expect(firstRows == [0, 20, 40])
    #expect((0..<100).allSatisfy { items.pointer[$0] == Float($0) })
  }

  /// Row r as `[2 r, 2 r + 1]`.
  private func answer(_ request: PullRequest) -> PullReply {
    let values = request.keys.array(of: UInt32.self).flatMap { [Float(2 * $0), Float(2 * $0 + 1)] }
    return PullReply(
      version: request.version, sections: request.sections, values: .copying(values))
  }
}
