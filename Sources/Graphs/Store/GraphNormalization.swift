/// How degrees enter `1 / √(d_u · d_i)`.
public enum GraphNormalization: String, Sendable, CaseIterable {
  /// Degrees + 1e-7, as LightGCN and FREEDOM have it against division by zero.
  case guarded
  /// Plain degrees, as MGCN, SOIL and DualGNN have it.
  case exact

  /// What is added to each degree.
  var addend: Double { self == .guarded ? 1e-7 : 0 }
}
