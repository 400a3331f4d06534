import Tables

extension MMGCN {
  /// The tables and where each part begins in their list.
  struct Layout: Sendable {
    struct Branch: Sendable {
      let isProjected: Bool
      let firstTable: Int
      /// The first table of each layer.
      let layers: [Int]
      /// Φ.
      let preference: TableSpec
    }

    private(set) var branches: [Branch] = []
    /// e.
    let id: TableSpec
    private var trained: [TableSpec] = []

    init(
      userCount: Int, itemCount: Int, features: [(name: String, columns: Int)],
      embeddingSize: Int, projectionWidth: Int
    ) {
      let nodeCount = userCount + itemCount
      id = TableSpec(
        name: "id", rows: nodeCount, width: embeddingSize,
        initializer: .xavierNormal(rows: nodeCount, columns: embeddingSize))
      for (modality, feature) in features.enumerated() {
        let first = trained.count
        let isProjected = modality == 0 || (features.count > 2 && feature.columns > 384)
        if isProjected {
          let initializer = Initializer.linear(inputs: feature.columns)
          add("\(feature.name).projection.weight", projectionWidth, feature.columns, initializer)
          add("\(feature.name).projection.bias", 1, projectionWidth, initializer)
        }
        let inputWidth = isProjected ? projectionWidth : feature.columns
        let layers = (1...3).map { layer in
          addLayer(
            "\(feature.name).layer\(layer)", inputWidth: layer == 1 ? inputWidth : embeddingSize,
            embeddingSize: embeddingSize, isFirst: layer == 1)
        }
        branches.append(
          Branch(
            isProjected: isProjected, firstTable: first, layers: layers,
            preference: TableSpec(
              name: "\(feature.name).preference", rows: userCount, width: inputWidth,
              initializer: .xavierNormal(rows: userCount, columns: inputWidth))))
      }
    }

    func tables(trainableIds: Bool) -> [TableSpec] {
      trainableIds ? trained + [id] + branches.map(\.preference) : trained
    }

    /// Where the id vectors are, if they are trained.
    var idTable: Int { trained.count }

    /// Where Φ of a modality is, if it is trained.
    func preferenceTable(_ modality: Int) -> Int { trained.count + 1 + modality }

    /// - Returns: the first table of the layer.
    private mutating func addLayer(
      _ name: String, inputWidth: Int, embeddingSize: Int, isFirst: Bool
    ) -> Int {
      let first = trained.count
      let fusedWidth = inputWidth + embeddingSize
      add(
        "\(name).convolution.weight", inputWidth, inputWidth,
        .xavierNormal(rows: inputWidth, columns: inputWidth))
      add(
        "\(name).self.weight", embeddingSize, inputWidth,
        .xavierNormal(rows: embeddingSize, columns: inputWidth))
      add("\(name).self.bias", 1, embeddingSize, .linear(inputs: inputWidth))
      add(
        "\(name).fusion.weight", embeddingSize, fusedWidth,
        isFirst
          ? .xavierNormal(rows: embeddingSize, columns: fusedWidth) : .linear(inputs: fusedWidth))
      add("\(name).fusion.bias", 1, embeddingSize, .linear(inputs: fusedWidth))
      return first
    }

    private mutating func add(
      _ name: String, _ rows: Int, _ width: Int, _ initializer: Initializer
    ) {
      trained.append(TableSpec(name: name, rows: rows, width: width, initializer: initializer))
    }
  }
}
