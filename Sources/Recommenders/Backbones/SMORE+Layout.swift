import Tables
import Tensors

extension SMORE {
  /// Where each parameter is in the list of tables.
  struct Layout: Sendable {
    struct Modality: Sendable {
      /// V_m, `[I, F_m]`; nil when the features are not trained.
      let features: Int?
      let projection: LinearLayer
      let view: View
      let attention: ColumnAttention
    }

    /// What a modality and the fusion of all have alike.
    struct View: Sendable {
      /// w, `[K, 2]`.
      let filter: Int
      let purifier: Gate
      let preference: Gate

      init(_ name: String, width: Int, in list: inout TableList) {
        filter = list.add(
          "\(name).filter", rows: width / 2 + 1, width: 2,
          initializer: .normal(standardDeviation: 1))
        purifier = Gate("\(name).purifier", width: width, in: &list)
        preference = Gate("\(name).preference", width: width, in: &list)
      }
    }

    let list: TableList
    let user: Int
    let item: Int
    let modalities: [Modality]
    let fusion: View

    init(
      userCount: Int, itemCount: Int, modalities: [(name: String, width: Int)],
      embeddingSize: Int, trainsFeatures: Bool
    ) {
      var list = TableList()
      user = list.addEmbedding("user", rows: userCount, width: embeddingSize)
      item = list.addEmbedding("item", rows: itemCount, width: embeddingSize)
      self.modalities = modalities.map { name, width in
        Modality(
          features: trainsFeatures
            ? list.add("\(name).features", rows: itemCount, width: width, initializer: .pushed)
            : nil,
          projection: LinearLayer(
            "\(name).projection", inputs: width, outputs: embeddingSize, in: &list),
          view: View(name, width: embeddingSize, in: &list),
          attention: ColumnAttention("\(name).query", width: embeddingSize, in: &list))
      }
      fusion = View("fusion", width: embeddingSize, in: &list)
      self.list = list
    }
  }

  /// Weights of the columns of a view, computed from another vector of the node:
  ///
  ///     α = softmax( A tanh(B f + b) )      over the columns
  struct ColumnAttention: Sendable {
    private let hidden: LinearLayer
    /// A, `[d, d]`.
    private let weight: Int

    init(_ name: String, width: Int, in list: inout TableList) {
      hidden = LinearLayer("\(name).hidden", inputs: width, outputs: width, in: &list)
      weight = list.add(
        "\(name).weight", rows: width, width: width, initializer: .linear(inputs: width))
    }

    /// `α ⊙ x`, `[J, d]`.
    func apply(
      on tape: Tape, _ x: Variable, context: Variable, _ parameters: [Variable]
    ) -> Variable {
      let activation = tape.tanhCap(hidden.apply(on: tape, context, parameters), 1)
      return tape.hadamard(x, tape.rowSoftmax(tape.linear(activation, parameters[weight])))
    }
  }
}
