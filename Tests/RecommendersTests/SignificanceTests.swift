import Recommenders
import Testing

/// Paired differences and SciPy 1.17.1's results: `ttest_rel` against zeros, and `wilcoxon`
/// with `zero_method="wilcox", correction=False, method="asymptotic"`.
struct SciPyCase: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var differences: [Double]
  var t: Double
  var tPValue: Double
  var w: Double
  var z: Double
  var wPValue: Double

  /// ((i · factor) mod modulus − shift) / divisor for i = 0 ..< count.
  static func spread(_ count: Int, _ factor: Int, _ modulus: Int, _ shift: Int, _ divisor: Double)
    -> [Double]
  {
    (0..<count).map { Double($0 * factor % modulus - shift) / divisor }
  }

  static let all = [
    SciPyCase(
      testDescription: "ties and zeros",
      differences: [0.5, -0.25, 0.25, 0, 0.5, -0.5, 0.25, 0.75, 0, 1, -0.25, 0.5],
      t: 1.782304962266639, tPValue: 0.10228798193986288, w: 11.5, z: -1.6524728943818312,
      wPValue: 0.09843818632677816),
    SciPyCase(
      testDescription: "five without ties", differences: [0.1, 0.3, -0.2, 0.4, 0.15],
      t: 1.4638501094227998, tPValue: 0.21707925294276173, w: 3, z: -1.2135597524338357,
      wPValue: 0.22491588401596185),
    SciPyCase(
      testDescription: "all negative",
      differences: [-1, -2, -3.5, -4.25, -0.5, -6, -7.125, -8],
      t: -4.072019296252398, tPValue: 0.0047371366053233985, w: 0, z: -2.5205041512504174,
      wPValue: 0.011718685599768628),
    SciPyCase(
      testDescription: "300 with ties", differences: spread(300, 7919, 101, 48, 64),
      t: 1.1688954146706603, tPValue: 0.24337682598225804, w: 20417.5, z: -1.1537806963756023,
      wPValue: 0.24859009018335176),
    SciPyCase(
      testDescription: "5000 with ties", differences: spread(5000, 104_729, 1009, 500, 1024),
      t: 1.0269972781142258, tPValue: 0.30447143555750633, w: 6_134_421.5,
      z: -1.0236374529355923, wPValue: 0.30600654821304074),
    // SciPy gives a t-test p-value of 0 here.
    SciPyCase(
      testDescription: "far from zero", differences: spread(2000, 7919, 101, 20, 64),
      t: 45.9330171009706, tPValue: 0, w: 157_647, z: -32.34541214836841,
      wPValue: 1.6095033995950287e-229),
  ]
}

private func isClose(_ left: Double, _ right: Double) -> Bool {
  abs(left - right) <= 1e-11 * max(abs(left), abs(right)) + 1e-300
}

@Test("the paired t-test has SciPy's numbers", arguments: SciPyCase.all)
func pairedTTest(_ reference: SciPyCase) throws {
  let test = try #require(PairedTTest(differences: reference.differences))
  #expect(test.degreesOfFreedom == reference.differences.count - 1)
  #expect(isClose(test.statistic, reference.t))
  #expect(isClose(test.pValue, reference.tPValue), "\(test.pValue)")
}

@Test("the signed-rank test has SciPy's numbers", arguments: SciPyCase.all)
func wilcoxonSignedRank(_ reference: SciPyCase) {
  let test = WilcoxonSignedRank(differences: reference.differences)
  #expect(test.statistic == reference.w)
  #expect(isClose(test.z, reference.z))
  #expect(isClose(test.pValue, reference.wPValue), "\(test.pValue)")
}

@Test("swapping the two samples changes the sign of t and no p-value")
func swappedSamples() throws {
  for reference in SciPyCase.all {
    let swapped = reference.differences.map { -$0 }
    let test = try #require(PairedTTest(differences: swapped))
    #expect(isClose(test.statistic, -reference.t))
    #expect(isClose(test.pValue, reference.tPValue))
    #expect(isClose(WilcoxonSignedRank(differences: swapped).pValue, reference.wPValue))
  }
}

@Test("equal samples are no evidence; one pair is none either")
func equalSamples() throws {
  let equal = [0.0, 0, 0]
  #expect(try #require(PairedTTest(differences: equal)).pValue == 1)
  #expect(WilcoxonSignedRank(differences: equal).pValue == 1)
  #expect(WilcoxonSignedRank(differences: equal).count == 0)
  #expect(PairedTTest(differences: [0.5]) == nil)
  #expect(WilcoxonSignedRank(differences: []).pValue == 1)
}

@Test("a difference that is the same for all users is certain")
func constantDifference() throws {
  let test = try #require(PairedTTest(differences: [0.25, 0.25, 0.25]))
  #expect(test.statistic == .infinity)
  #expect(test.pValue == 0)
}

@Test("fractions that are equal but not in binary tie")
func fractionsTie() {
  let thirds = [1.0 / 2 - 1.0 / 3, 1.0 / 3 - 1.0 / 6, -(1.0 / 6), 2.0 / 3 - 1.0 / 2]
  #expect(Set(thirds.map(\.magnitude)).count > 1)
  // Four ties of rank 2.5, one of them negative.
  #expect(WilcoxonSignedRank(differences: thirds).statistic == 2.5)
}
