extension CoordinatorState {
  struct Progress: Sendable, Equatable {
    var activity: RunEvent.Activity
    var done: UInt64
    var total: UInt64
  }

  /// In training, the steps that all servers have made; in an evaluation, the blocks of everybody.
  var progress: Progress? {
    guard let work else { return nil }
    switch phase {
    case .training:
      let versions = startVersion - plan.firstVersion(ofEpoch: epoch)
      return Progress(
        activity: .train, done: versions / UInt64(plan.roundsPerStep),
        total: UInt64(plan.stepsPerEpoch))
    case .materializing, .ranking:
      let underWay = work.outstanding.values.reduce(UInt64(0)) { sum, task in
        sum + min(membership[task.node]?.taskProgress ?? 0, UInt64(task.units.count))
      }
      return Progress(
        activity: isMaterializing ? .materialize : .rank,
        done: UInt64(work.doneUnitCount) + underWay, total: UInt64(work.unitCount))
    case .forming, .saving, .resting, .ended: return nil
    }
  }
}
