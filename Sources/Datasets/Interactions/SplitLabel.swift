/// What an interaction is used for; the raw values are those of the column `x_label`.
public enum SplitLabel: UInt8, Sendable, CaseIterable {
  case train = 0
  case valid = 1
  case test = 2
}
