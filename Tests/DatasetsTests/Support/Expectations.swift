import Datasets
import Testing

/// The error that `body` throws; records an issue if it throws none or another kind of error.
func problem<Result>(
  sourceLocation: SourceLocation = #_sourceLocation, in body: () throws -> Result
) -> DatasetError {
  do {
    _ = try body()
    Issue.record("no error was thrown", sourceLocation: sourceLocation)
  } catch let error as DatasetError {
    return error
  } catch {
    Issue.record("another error was thrown: \(error)", sourceLocation: sourceLocation)
  }
  return DatasetError(.malformed, path: "", "")
}

/// Records an issue for each part that the error's description does not contain.
func expect(
  _ error: DatasetError, says parts: String..., sourceLocation: SourceLocation = #_sourceLocation
) {
  for part in parts {
    #expect(
      error.description.contains(part), "'\(part)' is missing in: \(error)",
      sourceLocation: sourceLocation)
  }
}
