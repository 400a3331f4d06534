/// Collects problems up to a limit. With a limit of 1 it makes a reader stop at its first problem;
/// with a higher one, the same reader lists what it finds.
struct ProblemLog {
  private let limit: Int
  private(set) var problems: [DatasetError] = []

  /// - Precondition: `limit > 0`.
  init(limit: Int) {
    precondition(limit > 0, "ProblemLog(limit: \(limit))")
    self.limit = limit
  }

  private var isFull: Bool { problems.count >= limit }

  /// Records a problem.
  ///
  /// - Throws: the problem itself once the log is full: the reader is to give up.
  mutating func report(_ problem: DatasetError) throws(DatasetError) {
    problems.append(problem)
    if isFull { throw problem }
  }

  /// Runs one stage of a reader: what the stage throws becomes a recorded problem, and the reader
  /// may go on without the stage's result.
  mutating func attempt<Result>(
    _ stage: (inout ProblemLog) throws(DatasetError) -> Result
  ) throws(DatasetError) -> Result? {
    do {
      return try stage(&self)
    } catch {
      if isFull { throw error }
      try report(error)
      return nil
    }
  }
}
