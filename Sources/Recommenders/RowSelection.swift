/// Which rows of a table a computation needs.
public enum RowSelection: Sendable, Equatable {
  case none
  case all
  /// Distinct row ids, ascending.
  case listed([Int32])
}
