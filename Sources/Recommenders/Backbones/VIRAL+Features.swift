import Datasets
import Settings
import Tensors

extension VIRAL {
  /// What a vector of an item is made of.
  enum Source: Sendable {
    case text
    case vision
    /// Both.
    case synergy
  }

  /// The features that a model reads, at one width D_in.
  struct Features: Sendable {
    /// Nil where the model reads text alone.
    let vision: FeatureMatrix?
    /// Nil where the model reads vision alone.
    let text: FeatureMatrix?
    /// D_in.
    let width: Int
    /// Whether a trained layer maps vision to D_in.
    let projectsVision: Bool
    private let visionValues: Lazy<Matrix>?
    private let textValues: Lazy<Matrix>?

    /// - Parameters: `vision` and `text` are of the data set; of one alone the other may be nil,
    ///   but projected vision has the width of the text.
    /// - Throws: ``ModelError`` when the widths differ and no setting says what to do.
    init(
      vision: FeatureMatrix?, text: FeatureMatrix?, settings: SettingValues<Settings>
    ) throws(ModelError) {
      let read = (
        vision: settings.fusion == .textOnly ? nil : vision,
        text: settings.fusion == .visualOnly ? nil : text
      )
      self.vision = read.vision
      self.text = read.text
      let maps = settings.visual == .raw || settings.inputWidth == .project
      let widest = max(read.vision?.columns ?? 0, read.text?.columns ?? 0)
      let width = maps ? text?.columns ?? widest : widest
      self.width = width
      projectsVision = maps && read.vision.map { $0.columns != width } ?? false
      if !maps, settings.inputWidth == .equal, let vision = read.vision, let text = read.text,
        vision.columns != text.columns
      {
        throw ModelError(
          description: "Cannot build model 'viral': its vision '\(vision.name)' has "
            + "\(vision.columns) columns and its text '\(text.name)' has \(text.columns), but it "
            + "needs equal widths. Give embeddings of descriptions, made by the text's encoder, as "
            + "modality 'vlm', or set input_width to project or pad.")
      }
      let padded = maps ? 0 : width
      func values(_ feature: FeatureMatrix?) -> Lazy<Matrix>? {
        feature.map { feature in
          Lazy { feature.matrix(padding: max(padded, feature.columns)) }
        }
      }
      visionValues = values(read.vision)
      textValues = values(read.text)
    }

    /// Vision before its projection, or text, `[I, columns]`; nil if the model does not read it.
    func constant(_ source: Source, on tape: Tape) -> Variable? {
      (source == .text ? textValues : visionValues).map { tape.constant($0.value) }
    }
  }

  /// The positions of vision and text among a data set's features; nil for one that the model does
  /// not need.
  ///
  /// - Throws: ``ModelError`` for names that the data set has not.
  static func positions(
    in features: [FeatureMatrix], _ settings: SettingValues<Settings>
  ) throws(ModelError) -> (vision: Int?, text: Int?) {
    let names = features.map(\.name)
    func given(_ name: String, _ setting: String) throws(ModelError) -> Int? {
      guard name != "auto" else { return nil }
      guard let position = names.firstIndex(of: name) else {
        throw ModelError(
          description: "Cannot build model 'viral': \(setting) is '\(name)', but the data set's "
            + "modalities are \(names.joined(separator: ", ")). Set \(setting) to one of them.")
      }
      return position
    }
    func found(_ position: Int?, _ instead: Fusion) throws(ModelError) -> Int {
      guard let position else {
        throw ModelError(
          description: "Cannot build model 'viral': it reads vision and text, and the data set's "
            + "only modality is \(names.joined()). Add another, or set fusion to "
            + "\(instead.rawValue).")
      }
      return position
    }
    let givenVision = try given(settings.visionFeature, "vision_feature")
    let givenText = try given(settings.textFeature, "text_feature")
    let text =
      givenText ?? names.firstIndex(of: "text")
      ?? names.indices.dropFirst().first { $0 != givenVision }
    if settings.fusion == .textOnly {
      return (nil, text ?? 0)
    }
    let usual = names.firstIndex(of: settings.visual == .vlm ? "vlm" : "visual")
    let vision = givenVision ?? usual ?? names.indices.first { $0 != text }
    if settings.fusion == .visualOnly { return (vision ?? 0, text) }
    return (try found(vision, .textOnly), try found(text, .visualOnly))
  }
}

extension FeatureMatrix {
  /// A copy with zeros on the right, `[rows, width]`.
  ///
  /// - Precondition: `width` is at least the number of columns.
  fileprivate func matrix(padding width: Int) -> Matrix {
    let whole = matrix(0..<rows)
    guard width > columns else { return whole }
    let result = Matrix(rows: rows, columns: width)
    result.fill(0)
    for row in 0..<rows {
      (result.pointer + row * width).update(from: whole.pointer + row * columns, count: columns)
    }
    return result
  }
}
