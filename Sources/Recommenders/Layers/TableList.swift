import Tables

/// Collects the tables of a model; each addition returns the table's index.
struct TableList: Sendable {
  private(set) var specs: [TableSpec] = []

  /// Adds a table and returns its index.
  mutating func add(
    _ name: String, rows: Int, width: Int, initializer: Initializer
  ) -> Int {
    specs.append(TableSpec(name: name, rows: rows, width: width, initializer: initializer))
    return specs.count - 1
  }

  /// Adds vectors of users or items, Xavier uniform.
  mutating func addEmbedding(_ name: String, rows: Int, width: Int) -> Int {
    add(
      name, rows: rows, width: width,
      initializer: .xavierUniform(rows: rows, columns: width))
  }
}
