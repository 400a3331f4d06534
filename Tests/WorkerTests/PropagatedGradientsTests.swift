import Protocol
import Recommenders
import Tables
import Tensors
import Testing
import Worker

@Suite("Gradients of propagated matrices")
struct PropagatedGradientsTests {
  private static let name = ContributionName(generation: 1, version: 0, shard: 0)

  /// A matrix whose gradient has the given rows.
  private func variable(
    rows: Int, width: Int, _ gradient: [(row: Int32, values: [Float])] = []
  ) -> Variable {
    let tape = Tape()
    let variable = tape.parameter(Matrix(rows: rows, columns: width))
    guard !gradient.isEmpty else { return variable }
    let gathered = tape.gather(variable, gradient.map(\.row))
    let seed = Matrix(
      rows: gradient.count, columns: width, elements: gradient.flatMap(\.values))
    tape.backward(seeding: [(gathered, seed)])
    return variable
  }

  @Test("the servers add the rows of all shards, and the sums become whole matrices again")
  func exchange() throws {
    let run = try SmallRun()
    var servers = try InProcessServers(run, count: 2)
    let exchange = PropagatedGradients(serverCount: 2)
    // Initial values that depend on data do not matter to sums.
    let shares: [[[(row: Int32, values: [Float])]]] = [
      [[(2, [3, 4]), (0, [1, 2])], []], [[(2, [-3, 1])], [(1, [5])]], [[], []],
    ]
    let requests = shares.enumerated().map { shard, share in
      exchange.requests(
        [
          variable(rows: 3, width: 2, share[0]),
          variable(rows: 2, width: 1, share[1]),
        ],
        name: ContributionName(generation: 1, version: 0, shard: UInt32(shard)),
        wantsRows: shard == 0)
    }
    for shard in requests {
      #expect(shard.map(\.server) == [0, 1])
      for request in shard { _ = servers.ask(.reduce(request.body), request.server) }
    }
    let replies = try requests[0].map { request in
      guard case .reduced(let reply)? = servers.ask(.reduce(request.body), request.server) else {
        throw TestError("no sums")
      }
      return reply
    }
    let tape = Tape()
    let variables = [
      tape.parameter(Matrix(rows: 3, columns: 2)), tape.parameter(Matrix(rows: 2, columns: 1)),
    ]
    let sums = try exchange.assemble(replies, for: variables) { rows, columns in
      let matrix = Matrix(rows: rows, columns: columns)
      matrix.fill(.nan)
      return matrix
    }
    #expect(elements(try #require(sums[0])) == [1, 2, 0, 0, 0, 5])
    #expect(elements(try #require(sums[1])) == [0, 5])
  }

  private func elements(_ matrix: Matrix) -> [Float] {
    withExtendedLifetime(matrix) { Array(matrix.elements) }
  }

  @Test("only rows with a gradient are sent, and every server gets a request")
  func sendsWhatIsThere() throws {
    let requests = PropagatedGradients(serverCount: 3).requests(
      [variable(rows: 5, width: 2, [(3, [2, 0]), (2, [0, 1])])], name: Self.name,
      wantsRows: true)
    #expect(requests.map(\.server) == [0, 1, 2])
    #expect(requests.map { $0.body.rows.keys.array(of: UInt32.self) } == [[3], [], [2]])
    #expect(requests[0].body.rows.values.array(of: Float.self) == [2, 0])
    #expect(requests[1].body.rows.sections.isEmpty)
  }

  @Test("sums that do not fit the model are refused")
  func misfits() throws {
    let tape = Tape()
    let variables = [tape.parameter(Matrix(rows: 3, columns: 2))]
    func reply(table: UInt32, key: UInt32, width: UInt32) -> ReduceReply {
      ReduceReply(
        values: [],
        rows: GradientRows(
          sections: [TableSection(table: table, rowCount: 1, width: width, isWhole: false)],
          keys: .copying([key]), values: .copying([Float](repeating: 1, count: Int(width)))))
    }
    for bad in [
      reply(table: 1, key: 0, width: 2), reply(table: 0, key: 3, width: 2),
      reply(table: 0, key: 0, width: 1),
    ] {
      let error = #expect(throws: TrainingError.self) {
        try PropagatedGradients(serverCount: 1).assemble([bad], for: variables) {
          Matrix(rows: $0, columns: $1)
        }
      }
      #expect(error?.description.contains("server 0") == true)
    }
  }

  @Test("each row behind the propagation is pushed once a step, by the shard of its range")
  func pushesRangesOnce() throws {
    let run = try SmallRun()
    var servers = try InProcessServers(run, count: 1)
    let work = try run.engine(serverCount: 1).work(for: run.task(from: 0, shards: [0, 1, 2]))
    var input = WorkInput.begin
    var pushed: [UInt32: [UInt32]] = [:]
    while pushed.isEmpty {
      switch try work.advance(input) {
      case .pull(let requests):
        input = .pulled(
          try requests.map { request in
            guard case .pulled(let reply)? = servers.ask(.pull(request.body), request.server)
            else { throw TestError("no rows") }
            return reply
          })
      case .reduce(let requests):
        for request in requests { _ = servers.ask(.reduce(request.body), request.server) }
        input = .reduced(
          try requests.map { request in
            guard case .reduced(let reply)? = servers.ask(.reduce(request.body), request.server)
            else { throw TestError("no sums") }
            return reply
          })
      case .push(let requests):
        for request in requests {
          _ = servers.ask(.push(request.body), request.server)
          // The user table, in the last round of a step.
          guard request.body.kind == .gradient, request.body.name.version == 1,
            let users = request.body.sections.first, users.table == 0
          else { continue }
          pushed[request.body.name.shard] = Array(
            request.body.keys.array(of: UInt32.self).prefix(Int(users.rowCount)))
        }
        input = .sent
      case .pushAndPull: throw TestError("nothing was prepared")
      case .done: throw TestError("the epoch is over")
      }
    }
    #expect(pushed == [0: [0, 1, 2], 1: [3, 4, 5], 2: [6, 7, 8]])
  }
}
