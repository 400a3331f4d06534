import Recommenders
import Testing

@Suite struct InformationAtomsTests {
  @Test("the parts add up to what is said alone and together")
  func sums() {
    let atoms = InformationAtoms(first: 0.5, second: 0.375, additive: 0.75, together: 1)
    #expect(atoms.redundant == 0.125)
    #expect(atoms.uniqueFirst == 0.375 && atoms.uniqueSecond == 0.25)
    #expect(atoms.synergistic == 0.25)
  }

  @Test("modalities that need each other are synergy even without interactions, not redundancy < 0")
  func suppression() {
    let atoms = InformationAtoms(first: 0.25, second: 0, additive: 1, together: 1)
    #expect(atoms.redundant == 0)
    #expect(atoms.uniqueFirst == 0.25 && atoms.uniqueSecond == 0)
    #expect(atoms.synergistic == 0.75)
  }
}
