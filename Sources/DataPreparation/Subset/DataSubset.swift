import Datasets
import Foundation

/// Makes a smaller folder: a sample of the users, of the items, or of the time.
///
/// In this order: interactions outside of the time are left out; then users and items are sampled,
/// each from those that are left; an interaction stays if its user and its item are in the samples.
/// Samples of one seed are nested: a smaller one is contained in every larger one. Labels stay.
package struct DataSubset: Sendable {
  package var users: SampleSize?
  package var items: SampleSize?
  /// The first point in time that is taken, seconds since 1970.
  package var from: Double?
  /// The first point in time after it that is not taken.
  package var to: Double?
  package var seed: UInt64
  /// Whether all items with features stay, also those without interactions in the subset.
  package var keepsColdItems = false

  package init(seed: UInt64) { self.seed = seed }

  /// Reads a folder and writes the smaller one.
  ///
  /// - Parameters:
  ///   - folder: the data set's folder, split or not.
  ///   - path: the folder to make.
  ///   - replacesExisting: whether a folder with files at the path may be replaced.
  ///   - report: called with the progress.
  /// - Throws: ``DatasetError`` if the folder cannot be read or written, or if nothing would be
  ///   left; and what `report` throws. Nothing is written then.
  package func run(
    folder: String, to path: String, replacesExisting: Bool, report: StageReport
  ) throws -> SubsetSummary {
    let target = try NewFolder(path: path, replacesExisting: replacesExisting, from: folder)
    try report("reading", nil)
    var (source, columns) = try SourceFolder.read(folder)
    let file = source.description.path(of: source.description.interactionsFile)
    var summary = SubsetSummary(
      interactionsRead: columns.count, usersRead: source.userCount, itemsRead: source.itemCount)
    summary.outsideTime = try takeTime(&columns, file: file)
    try report("sampling", nil)
    takeSamples(&columns, source: source, summary: &summary)
    guard columns.count > 0 else {
      throw DatasetError(
        .configuration, path: file,
        "would have no interaction left: no sampled user has one with a sampled item; take larger "
          + "samples with --users and --items")
    }
    for (label, part) in [(SplitLabel.train, "training"), (.valid, "validation")] {
      guard let labels = columns.labels, !labels.contains(label) else { continue }
      throw DatasetError(
        .configuration, path: file,
        "would have no interaction for \(part) left: take more of it, or take the subset first and "
          + "split it then")
    }
    let selection = FolderSelection(
      source: source, taking: columns,
      keepsItem: keepsColdItems
        ? try source.itemsWithFeatures() ?? [Bool](repeating: true, count: source.itemCount) : nil)
    summary.interactions = columns.count
    summary.users = selection.users.count
    summary.items = selection.items.count
    summary.isSplit = columns.labels != nil
    summary.staleNeighbourFiles = selection.staleNeighbourFiles
    try selection.write(
      to: target, columns: columns, order: 0..<columns.count, step: step(summary), report: report)
    try target.commit()
    return summary
  }

  /// Leaves out what is outside of the time that is asked for.
  ///
  /// - Returns: how many interactions those were.
  private func takeTime(
    _ columns: inout InteractionColumns, file: String
  ) throws(DatasetError) -> Int {
    guard from != nil || to != nil else { return 0 }
    guard let times = columns.times else {
      throw DatasetError(
        .configuration, path: file,
        "has no column timestamp, so --from and --to cannot be applied; leave them out")
    }
    let (from, to) = (from ?? -.infinity, to ?? .infinity)
    let removed = columns.keep(times.map { $0 >= from && $0 < to })
    guard columns.count > 0 else {
      let known = times.filter { !$0.isNaN }
      let range =
        if let first = known.min(), let last = known.max() {
          "they are from \(TimePoint.text(first)) to \(TimePoint.text(last))"
        } else {
          "no row has a time"
        }
      throw DatasetError(
        .configuration, path: file, "has no interaction between --from and --to: \(range)")
    }
    return removed
  }

  private func takeSamples(
    _ columns: inout InteractionColumns, source: SourceFolder, summary: inout SubsetSummary
  ) {
    guard users != nil || items != nil else { return }
    let hashes = source.identifierHashes()
    let keys = PairKeys(users: hashes.users, items: hashes.items, seed: seed)
    let userSample = users?.sample(Self.occurring(columns.users, of: source.userCount)) {
      keys.key(user: $0)
    }
    let itemSample = items?.sample(Self.occurring(columns.items, of: source.itemCount)) {
      keys.key(item: $0)
    }
    summary.sampledUsers = userSample.map { sample in sample.count { $0 } }
    summary.sampledItems = itemSample.map { sample in sample.count { $0 } }
    summary.askedUsers = users?.number
    summary.askedItems = items?.number
    let isKept = (0..<columns.count).map { row in
      (userSample?[Int(columns.users[row])] ?? true)
        && (itemSample?[Int(columns.items[row])] ?? true)
    }
    columns.keep(isKept)
  }

  private static func occurring(_ ids: [Int32], of count: Int) -> [Bool] {
    var occurs = [Bool](repeating: false, count: count)
    for id in ids { occurs[Int(id)] = true }
    return occurs
  }

  /// The step that the history of the new folder gets.
  private func step(_ summary: SubsetSummary) -> DatasetHistory.Step {
    let settings = [
      ("users", users?.text), ("items", items?.text), ("from", from.map { "\($0)" }),
      ("to", to.map { "\($0)" }), ("seed", "\(seed)"),
      ("cold_items", keepsColdItems ? "kept" : "dropped"),
      ("interactions_read", "\(summary.interactionsRead)"),
      ("interactions_kept", "\(summary.interactions)"), ("users_kept", "\(summary.users)"),
      ("items_kept", "\(summary.items)"),
    ]
    return DatasetHistory.Step(
      "subset", fields: settings.compactMap { key, value in value.map { .init(key, $0) } })
  }
}

/// What a subset has taken: the numbers before and after.
package struct SubsetSummary: Sendable {
  package let interactionsRead: Int
  /// Dense ids of the source, with or without interactions.
  package let usersRead: Int
  package let itemsRead: Int
  package internal(set) var outsideTime = 0
  /// The sizes of the samples; nil where none was taken.
  package internal(set) var sampledUsers: Int?
  package internal(set) var sampledItems: Int?
  /// The sizes that were asked for, if they are numbers rather than shares.
  package internal(set) var askedUsers: Int?
  package internal(set) var askedItems: Int?
  package internal(set) var interactions = 0
  package internal(set) var users = 0
  package internal(set) var items = 0
  /// Whether the interactions have labels.
  package internal(set) var isSplit = false
  package internal(set) var staleNeighbourFiles: [String] = []

  init(interactionsRead: Int, usersRead: Int, itemsRead: Int) {
    self.interactionsRead = interactionsRead
    self.usersRead = usersRead
    self.itemsRead = itemsRead
  }

  /// The summary for the terminal, one fact per line.
  package var lines: [String] {
    var lines = ["\(interactionsRead) interactions read"]
    if outsideTime > 0 { lines.append("\(outsideTime) left out: outside of the time") }
    if let sampledUsers { lines.append(Self.line(sampledUsers, "users", asked: askedUsers)) }
    if let sampledItems { lines.append(Self.line(sampledItems, "items", asked: askedItems)) }
    lines.append(
      "\(interactions) interactions of \(users) users (of \(usersRead)) and \(items) items (of "
        + "\(itemsRead)) kept")
    if let note = FolderSelection.note(ofStale: staleNeighbourFiles) { lines.append(note) }
    return lines
  }

  private static func line(_ count: Int, _ word: String, asked: Int?) -> String {
    guard let asked, asked > count else { return "\(count) \(word) sampled" }
    return "\(count) \(word) sampled: all that have interactions, fewer than the \(asked) asked for"
  }
}
