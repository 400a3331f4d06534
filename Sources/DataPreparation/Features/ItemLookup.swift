import Datasets
import Files

/// The items of a data set's folder: how many there are, and the dense id of each original id.
package struct ItemLookup {
  /// I.
  package let count: Int
  private let table: IdentifierTable?

  /// Finds out which items a folder has: those of its table of ids, else the rows of its features,
  /// else what its interactions mention.
  ///
  /// - Throws: ``DatasetError`` if what decides cannot be read.
  package init(_ description: DatasetDescription) throws(DatasetError) {
    if let file = description.itemsFile {
      let table = try IdentifierTable(path: description.path(of: file), kind: .items)
      self.table = table
      count = table.count
      return
    }
    table = nil
    if let modality = description.modalities.first {
      count = try NPYFile(path: description.path(of: modality.file)).rows
    } else {
      let path = description.path(of: description.interactionsFile)
      count = Int(try InteractionFile.readRaw(path).items.max() ?? -1) + 1
    }
  }

  /// The dense id of an original id; without a table of ids, the number that the text stands for.
  func dense(of id: UnsafeRawBufferPointer) -> Int? {
    if let table { return table.dense(of: id) }
    return NumberText.whole(id, atMost: count - 1)
  }

  /// How ids of this data set look, for a message about ids that are not among them.
  var example: String {
    table.map { "'\($0.id(of: 0).sanitized(atMost: 40))'" }
      ?? "0 to \(max(count - 1, 0)), because the folder has no items.tsv"
  }
}
