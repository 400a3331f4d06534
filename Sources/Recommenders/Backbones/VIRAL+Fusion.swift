import Tensors

extension VIRAL {
  /// The four transformer blocks of the synergy s of text t and vision v.
  ///
  ///     h_t = TE₂(TE₁(t; v)),  h_v = TE₄(TE₃(v; t)),  s = (h_t + h_v) / 2      [I, D_in]
  struct SynergyBlocks: Sendable {
    private let textOfVision: TransformerBlock
    private let text: TransformerBlock
    private let visionOfText: TransformerBlock
    private let vision: TransformerBlock

    /// Adds the tables `synergy.1.*` to `synergy.4.*`.
    init(width: Int, in list: inout TableList) {
      textOfVision = TransformerBlock("synergy.1", width: width, in: &list)
      text = TransformerBlock("synergy.2", width: width, in: &list)
      visionOfText = TransformerBlock("synergy.3", width: width, in: &list)
      vision = TransformerBlock("synergy.4", width: width, in: &list)
    }

    /// h_t and h_v.
    func apply(
      on tape: Tape, text t: Variable, vision v: Variable, _ parameters: [Variable]
    ) -> [Variable] {
      [
        text.apply(
          on: tape, textOfVision.apply(on: tape, t, context: v, parameters), parameters),
        vision.apply(
          on: tape, visionOfText.apply(on: tape, v, context: t, parameters), parameters),
      ]
    }
  }

  /// The redundancy r of text t and vision v: one map and one transformer block of both and of each
  /// alone, with zeros in the place of the other.
  ///
  ///     h = TE(L[t; v]),  h_t = TE(L[t; 0]),  h_v = TE(L[0; v]),  r = (h + h_t + h_v) / 3
  struct RedundancyBlock: Sendable {
    private let map: LinearLayer
    private let block: TransformerBlock
    private let width: Int

    /// Adds the tables `redundancy.map.*` and `redundancy.block.*`.
    init(width: Int, in list: inout TableList) {
      self.width = width
      map = LinearLayer("redundancy.map", inputs: 2 * width, outputs: width, in: &list)
      block = TransformerBlock("redundancy.block", width: width, in: &list)
    }

    /// h_t, h_v and r.
    func apply(
      on tape: Tape, text: Variable, vision: Variable, _ parameters: [Variable]
    ) -> [Variable] {
      let (weight, bias) = (parameters[map.weight], parameters[map.bias])
      // [t; v] L = [t; 0] L + the part of v without the bias.
      let ofText = tape.linear(text, weight, columns: 0..<width, bias: bias)
      let ofVision = tape.linear(vision, weight, columns: width..<2 * width, bias: bias)
      let part = tape.linear(vision, weight, columns: width..<2 * width)
      let encoded = [tape.add(ofText, part), ofText, ofVision].map {
        block.apply(on: tape, $0, parameters)
      }
      let mean = tape.sum(encoded.map { ($0, 1 / 3) })
      return [encoded[1], encoded[2], mean]
    }
  }

  /// A contrastive term that pulls vectors of the same item together: InfoNCE in both directions
  /// over some pairs of them.
  enum Agreement: String, Sendable {
    /// L_s of h_t and h_v.
    case synergy
    /// L_r of h_t, h_v and r.
    case redundancy

    /// The pairs, as positions among the vectors.
    private var pairs: [(Int, Int)] {
      switch self {
      case .synergy: [(0, 1)]
      case .redundancy: [(0, 2), (1, 2), (1, 0)]
      }
    }

    /// How many vectors the term has.
    var vectorCount: Int {
      switch self {
      case .synergy: 2
      case .redundancy: 3
      }
    }

    /// The name of the term in the loss.
    var term: String { "agreement.\(rawValue)" }

    /// `[1, 1]`, of vectors `[J, D_in]` of the same items.
    func loss(on tape: Tape, _ vectors: [Variable]) -> Variable {
      tape.sum(
        pairs.map {
          (
            tape.symmetricInfoNCE(vectors[$0], vectors[$1], temperature: VIRAL.temperature), 1
          )
        })
    }
  }
}
