internal import Configuration
internal import Recommenders
internal import Runtime
internal import Settings

/// The objective of a run, and the terms that it records, in words.
enum ObjectiveWords {
  /// What was minimized, with the weights that the run had.
  static func sentence(_ configuration: RunConfiguration) -> String {
    let model = configuration.model.model
    func value(_ name: String) -> String { configuration.value(of: name) ?? "?" }
    let own =
      configuration.candidates.backboneLikelihood == .candidates
      ? "\(model)'s loss with a choice among \(value("candidates")) candidates for its ranking term"
      : "\(model)'s own loss"
    guard configuration.model.objective == .mrdib else {
      return "\(own), without MRdIB."
    }
    var terms: [String] = []
    func add(_ name: String, _ symbol: String, _ text: String) {
      if value(name) != "0" { terms.append("\(text) (\(symbol)\u{A0}=\u{A0}\(value(name)))") }
    }
    add("alpha1", "α₁", "a bottleneck that removes noise from each modality")
    add("alpha2", "α₂", "a penalty on what modalities repeat")
    add("alpha3", "α₃", "a likelihood of each modality alone, which keeps what is unique to it")
    add(
      "synergy_weight", "w_S", "the joint likelihood, which keeps what only their combination says")
    if configuration.mrdib.ranked == .samples, value("synergy_weight") == "0" {
      terms.append("the ranking of samples as the joint likelihood")
    }
    let list = terms.isEmpty ? "none of its terms" : terms.joined(separator: "; ")
    return "\(own) and MRdIB, \(value("mrdib_form")) form: \(list)."
  }

  /// What a term or a statistic is; nil if it is not known here.
  ///
  /// - Parameter name: without the modality, such as `kl`.
  static func meaning(_ name: String) -> String? { meanings[name] }

  private static let meanings: [String: String] = [
    "total": "what training minimizes: all terms with their weights",
    "ranking": "the backbone's own ranking term",
    "norms": "norms of the batch's embeddings: the backbone's regularizer",
    "kl": "the bottleneck's divergence from the prior, nats",
    "unique": "negative log-likelihood by one modality alone, nats",
    "joint": "negative log-likelihood by all modalities, nats",
    "redundancy": "estimated mutual information of two modalities, nats",
    "discriminator": "what the discriminators minimize to estimate it; no part of the total, nats",
    "redundancy_running": "running mean of the estimated mutual information, nats",
    "kl_per_dimension": "divergence from the prior, nats per dimension",
    "sigma": "mean σ of the codes, in units of code_scale",
    "rms": "root mean square of the means μ in a batch",
    "share": "share of the score that each part of an item makes up",
    "redundant": "share of a modality's features that lies along the redundancy",
    "gate.conflict":
      "share of parameter tensors in which auxiliary gradients opposed the backbone's own",
    "gate.scale": "mean factor by which the gate shortened auxiliary gradients",
  ]

  /// Terms whose names differ only in what follows the dot are shown together: one line per
  /// modality or pair.
  static func panels(_ names: some Sequence<String>) -> [(title: String, lines: [(String, String)])]
  {
    var panels: [(title: String, lines: [(String, String)])] = []
    for name in names.sorted(by: { rank($0) < rank($1) }) {
      let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
      let isSingle = parts.count < 2 || meanings[name] != nil
      let (title, line) = isSingle ? (name, name) : (parts[0], parts[1])
      if let index = panels.firstIndex(where: { $0.title == title }), !isSingle {
        panels[index].lines.append((line, name))
      } else {
        panels.append((title, [(line, name)]))
      }
    }
    return panels
  }

  /// The total first, then the backbone's own terms, then those of MRdIB.
  private static func rank(_ name: String) -> (Int, String) {
    let order = ["total", "ranking", "joint", "unique", "kl", "redundancy"]
    let first = String(name.prefix { $0 != "." })
    return (order.firstIndex(of: first) ?? order.count, name)
  }
}
