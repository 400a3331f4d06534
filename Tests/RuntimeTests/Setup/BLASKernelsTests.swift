import Runtime
import Testing

/// The kernels for various processors.
@Suite struct BLASKernelsTests {
  private static let old = "fpu sse sse2 pni"
  private static let avx = "\(old) ssse3 sse4_1 sse4_2 avx"
  private static let avx2 = "\(avx) avx2 fma"
  private static let avx512 = "\(avx2) avx512f avx512cd avx512dq avx512bw avx512vl"

  private func features(_ flags: String) -> ProcessorFeatures {
    ProcessorFeatures(cpuInfo: "processor\t: 0\nflags\t\t: \(flags)\nbugs\t\t: avx512_bf16\n")
  }

  @Test(
    "the processor decides by default",
    arguments: [
      ("", "Prescott"), (old, "Prescott"), ("\(old) ssse3 sse4_2", "Prescott"),
      (avx, "Sandybridge"), ("\(avx) avx2", "Sandybridge"), (avx2, "Haswell"),
      ("\(avx2) avx512f", "Haswell"), (avx512, "SkylakeX"),
      ("\(avx512) avx512_bf16", "SkylakeX"),
    ])
  func standard(_ flags: String, _ name: String) throws {
    #expect(try BLASKernels.choose(wanted: "", features: features(flags)).name == name)
  }

  @Test("without a list of features, kernels that every processor can run are chosen")
  func unknownProcessor() throws {
    let none = ProcessorFeatures(cpuInfo: "")
    #expect(try BLASKernels.choose(wanted: "", features: none).name == "Prescott")
  }

  @Test("other kernels are accepted in any case if the processor can run them")
  func wanted() throws {
    for name in ["HASWELL", "haswell", "Haswell"] {
      let kernels = try BLASKernels.choose(wanted: name, features: features(Self.avx512))
      #expect(kernels.name == "Haswell")
    }
    let last = try BLASKernels.choose(
      wanted: "Cooperlake", features: features("\(Self.avx512) avx512_bf16"))
    #expect(last.name == "Cooperlake")
  }

  @Test("kernels that the processor cannot run, and unknown ones, are refused with a message")
  func refused() {
    let impossible = #expect(throws: RuntimeError.self) {
      try BLASKernels.choose(wanted: "COOPERLAKE", features: features(Self.avx512))
    }
    #expect(impossible?.exitCode == .configuration)
    #expect(impossible?.message.contains("this processor lacks avx512_bf16") == true)
    let simple = #expect(throws: RuntimeError.self) {
      try BLASKernels.choose(wanted: "SkylakeX", features: features(Self.avx2))
    }
    #expect(simple?.message.contains("lacks avx512f, avx512cd") == true)
    for unknown in ["nonsense", "inherit", "Zen\u{1B}[2J"] {
      let error = #expect(throws: RuntimeError.self) {
        try BLASKernels.choose(wanted: unknown, features: features(Self.avx512))
      }
      #expect(error?.exitCode == .configuration)
      #expect(error?.message.contains("known are Cooperlake, SkylakeX, Zen") == true)
      #expect(error?.message.contains("\u{1B}") == false)
    }
  }

  @Test("the environment is set to the chosen kernels, and other variables of OpenBLAS are removed")
  func changes() throws {
    let kernels = try BLASKernels.choose(wanted: "", features: features(Self.avx2))
    var environment = [
      "OPENBLAS_CORETYPE": "Prescott", "OPENBLAS_NUM_THREADS": "8", "GOTO_NUM_THREADS": "4",
      "OPENBLAS_MAIN_FREE": "1", "OPENBLAS_VERBOSE": "2", "OPENBLAS_BLOCK_FACTOR": "3",
      "OMP_NUM_THREADS": "5", "HOME": "/root",
    ]
    for (name, value) in BLASKernels.changes(in: environment, for: kernels) {
      environment[name] = value
    }
    #expect(
      environment == [
        "OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "5",
        "HOME": "/root",
      ])
    #expect(BLASKernels.changes(in: environment, for: kernels).isEmpty)
    #expect(BLASKernels.changes(in: [:], for: kernels).count == 2)
  }
}
