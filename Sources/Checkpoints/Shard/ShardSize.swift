import Files
import ParameterServer
import Protocol
import Tensors

/// Bytes of a server's file in a checkpoint, before it is written.
package enum ShardSize {
  /// - Parameters:
  ///   - tables: with the rows of each that the server holds.
  ///   - rank: of the server.
  ///   - optimizer: by name.
  ///   - epochSums: as the file of server 0 would have them.
  /// - Throws: ``CheckpointError`` if two tables have the same name.
  package static func byteCount(
    of tables: [(shape: TableShape, rowCount: Int)], rank: Int, serverCount: Int, optimizer: String,
    epochSums: [UnitReport] = []
  ) throws(CheckpointError) -> Int {
    var metadata = ShardLayout.metadata(
      run: String(repeating: "0", count: runIDLength),
      name: CheckpointName(generation: 1, version: 1000), rank: rank, serverCount: serverCount,
      optimizer: optimizer,
      configurationDigest: String(repeating: "0", count: ByteDigest.digitCount))
    if rank == 0 {
      do {
        metadata[ShardLayout.Metadata.epochSums] = try EpochSumsText.encode(epochSums)
      } catch {
        throw CheckpointError(.cannotCreate, "Cannot write the sums of the epoch: \(error).")
      }
    }
    return try SafetensorsWriter.byteCount(
      tables.flatMap { ShardLayout.tensors(of: $0.shape, rowCount: $0.rowCount) },
      metadata: metadata)
  }

  /// Characters of the name of a run.
  private static let runIDLength = 36
}
