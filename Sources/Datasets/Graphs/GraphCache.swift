internal import Foundation
internal import Synchronization
import Tensors

/// Keeps graphs in memory and, if there is a folder for it, on disk.
///
/// Threads that ask for the same graph at once wait for one of them to build it. Processes do not
/// wait for each other: the last one replaces the file by one with the same bytes.
final class GraphCache: Sendable {
  /// Part of every file's name: raise it whenever a graph's definition changes.
  private static let definitions = 1
  /// How many graphs of single epochs are kept; workers of one process may be an epoch apart.
  private static let recentLimit = 4

  private let folder: String?
  private let inputs: String
  let isCurrent: @Sendable () -> Bool
  let report: @Sendable (GraphEvent) -> Void
  private let places = Mutex<[String: GraphPlace]>([:])
  private let recentNames = Mutex<[String]>([])

  /// - Parameters:
  ///   - inputs: what the graphs depend on, as a digest.
  ///   - isCurrent: whether the data is still what the digest was computed from; a graph built from
  ///     changed data is not kept on disk.
  init(
    folder: String?, inputs: String, isCurrent: @escaping @Sendable () -> Bool = { true },
    report: @escaping @Sendable (GraphEvent) -> Void
  ) {
    self.folder = folder
    self.inputs = inputs
    self.isCurrent = isCurrent
    self.report = report
  }

  /// A graph that is cheap to build: kept in memory.
  func kept<Failure: Error>(
    _ name: String, build: () throws(Failure) -> SparseMatrix
  ) throws(Failure) -> SparseMatrix {
    let place = places.withLock { places in
      let place = places[name] ?? GraphPlace()
      places[name] = place
      return place
    }
    return try place.graph(build: build)
  }

  /// A graph of one epoch: kept in memory until some newer ones have replaced it.
  func recent(_ name: String, build: () -> SparseMatrix) -> SparseMatrix {
    let evicted = recentNames.withLock { names -> String? in
      names.removeAll { $0 == name }
      names.append(name)
      return names.count > Self.recentLimit ? names.removeFirst() : nil
    }
    if let evicted { places.withLock { $0[evicted] = nil } }
    return kept(name, build: build)
  }

  /// A graph that takes long to build: kept in memory and on disk.
  ///
  /// - Parameter build: may report the share that is built, from 0 to 1.
  func stored<Failure: Error>(
    _ name: String, rows: Int, columns: Int,
    build: (_ progress: (Double) -> Void) throws(Failure) -> SparseMatrix
  ) throws(Failure) -> SparseMatrix {
    try kept("stored \(name)") { () throws(Failure) in
      let file = file(of: name)
      if let graph = file.flatMap({ read($0, rows: rows, columns: columns) }) { return graph }
      let start = ContinuousClock.now
      let graph = try build { report(.building(graph: name, share: $0)) }
      report(
        .built(
          graph: name, entryCount: graph.entryCount, duration: ContinuousClock.now - start))
      if let file, isCurrent() { write(graph, to: file) }
      return graph
    }
  }

  private func file(of name: String) -> GraphFile? {
    place(of: name, extension: "csr").map { GraphFile(path: $0.path, inputs: $0.source) }
  }

  /// The path of a graph's file, and the digest of what it is made from; nil without a folder.
  func place(of name: String, extension suffix: String) -> (path: String, source: String)? {
    guard let folder else { return nil }
    var digest = ContentDigest()
    digest.combine(Self.definitions)
    digest.combine(inputs)
    digest.combine(name)
    let fileName = "graph-\(name)-\(digest.hexadecimal).\(suffix)"
    return ((folder as NSString).appendingPathComponent(fileName), digest.hexadecimal)
  }

  private func read(_ file: GraphFile, rows: Int, columns: Int) -> SparseMatrix? {
    do {
      guard let graph = try file.read(rows: rows, columns: columns) else { return nil }
      report(.loaded(path: file.path))
      return graph
    } catch {
      report(.refused(path: file.path, reason: error.message))
      return nil
    }
  }

  private func write(_ graph: SparseMatrix, to file: GraphFile) {
    do {
      try file.write(graph)
    } catch {
      report(.notWritten(path: file.path, reason: error.message))
    }
  }
}

/// A graph in memory. Its lock lets one thread build the graph while others wait.
private final class GraphPlace: Sendable {
  private let kept = Mutex<SparseMatrix?>(nil)

  func graph<Failure: Error>(
    build: () throws(Failure) -> SparseMatrix
  ) throws(Failure) -> SparseMatrix {
    try kept.withLock { kept throws(Failure) in
      if let kept { return kept }
      let graph = try build()
      kept = graph
      return graph
    }
  }
}
