/// What `mrdib export` writes of a run's vectors.
package enum ExportFormat: String, Sendable, CaseIterable {
  /// `user.npy`, `item.npy`.
  case npy
  /// `embeddings.safetensors`.
  case safetensors
  /// `item.faiss`, `user.npy`.
  case faiss
  /// `model.onnx`, `user.npy`, `item.npy`.
  case onnx
  /// `user.csv`, `item.csv`.
  case csv
  /// `run.trec`, `valid.qrels`, `test.qrels`.
  case trec

  /// For help: the name and the files.
  package static var summary: String {
    """
    npy (user.npy, item.npy), safetensors (embeddings.safetensors), faiss (item.faiss, an exact \
    inner-product index, and user.npy), onnx (model.onnx, which ranks), csv (row, id and vector, \
    for pgvector and Milvus), or trec (ranked lists and truth, for ranx and trec_eval).
    """
  }
}

/// How `mrdib checkpoint export` writes tables.
package enum TableFormat: String, Sendable, CaseIterable {
  case npy
  case safetensors
}
