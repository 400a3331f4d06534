import ArgumentParser
import Foundation
import Runtime
import Tensors

/// Measurements of parts of the engine, for `scripts/bench`. It is no part of the program, and
/// prints figures as JSON.
@main
struct MeasureEngine: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "measure-engine",
    abstract: "Measures kernels, and a worker's exchange with a server.",
    subcommands: [KernelsCommand.self, ServeCommand.self, WireCommand.self])

  static func main() {
    ProcessMemory.keepForReuse()
    Lanes.setCount(1)
    self.main(nil)
  }
}

struct KernelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernels",
    abstract: "Measure kernels, and the limits of the same moment, on one thread.")

  @Option(help: "How often everything is measured, in turn.")
  var rounds = 5

  @Option(help: "Processor seconds of a measurement.")
  var seconds = 0.3

  @Flag(help: "Small sizes, to check this program.")
  var small = false

  func run() throws {
    let kernels =
      Kernel.limits(small: small) + Kernel.products(small: small) + Kernel.passes(small: small)
      + Kernel.rankings(small: small)
    var results = kernels.map { KernelResult($0) }
    for _ in 0..<max(1, rounds) {
      for index in kernels.indices {
        results[index].rates.append(try kernels[index].rate(seconds: seconds))
      }
    }
    try printJSON(results)
  }
}

struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serve a table of random rows; prints the address, and ends with its input.")

  @OptionGroup var table: TableOptions

  @Option(help: "Adam's mode: lazy, closed or lazy_exact.")
  var adam = "closed"

  @Option(help: "Threads that answer.")
  var threads = 1

  func run() throws {
    Lanes.setCount(threads)
    let server = try RowServer(table, adamMode: adam)
    FileHandle.standardOutput.write(Data((server.endpoint + "\n").utf8))
    _ = try FileHandle.standardInput.readToEnd()
    try server.stop()
  }
}

struct WireCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wire", abstract: "Push to and pull from a server as a worker does.")

  @OptionGroup var table: TableOptions

  @Option(help: "The server's address.")
  var server: String

  @Option(help: "The server's process id, whose processor time is read.")
  var serverProcess: Int32

  @Option(help: "Rows of a message of the throughput.")
  var batch = 16384

  @Option(help: "Rows of a message of the latency.")
  var smallBatch = 4096

  @Option(help: "Seconds of a measurement.")
  var seconds = 1.0

  func run() throws {
    let exchange = try RowExchange(table, server: server, process: serverProcess)
    let results = [
      try exchange.push(batch, seconds: seconds),
      try exchange.pull(batch, window: 2, seconds: seconds),
      try exchange.pull(batch, window: 1, seconds: seconds),
      try exchange.pull(smallBatch, window: 1, seconds: seconds),
      try exchange.resend(rows: smallBatch, window: 4, seconds: seconds),
      try exchange.resend(rows: batch, window: 4, seconds: seconds),
    ]
    try exchange.close()
    try printJSON(results)
  }
}

/// The table of a measurement; server and worker must have the same.
struct TableOptions: ParsableArguments {
  @Option(help: "Rows of the table.")
  var rows = 500_000

  @Option(help: "Numbers of a row.")
  var width = 64
}

/// Prints a value as JSON, on one line.
func printJSON(_ value: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.keyEncodingStrategy = .convertToSnakeCase
  FileHandle.standardOutput.write(try encoder.encode(value) + Data("\n".utf8))
}
