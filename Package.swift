// swift-tools-version: 6.1
import PackageDescription

/// Swift settings of every target: Swift 6 language mode, and imports that say what they use.
let swiftSettings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// C settings of the kernels: the loops are written to vectorise, which `errno` would forbid.
let kernelSettings: [CSetting] = [.unsafeFlags(["-O3", "-fno-math-errno", "-fno-trapping-math"])]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: "\(name)Tests",
    dependencies: [.target(name: name), "TestSupport"] + dependencies,
    swiftSettings: swiftSettings)
}

let package = Package(
  name: "mrdib",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "mrdib", targets: ["mrdib"]),
    // What a researcher writes models, metrics and estimators with, in a package of their own.
    .library(
      name: "Recommenders",
      targets: [
        "Settings", "Tensors", "Tables", "Autodiff", "Datasets", "Graphs", "Models", "Evaluation",
        "Commands",
      ]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    // C libraries and the few measured C loops.
    .systemLibrary(name: "CZeroMQ", pkgConfig: "libzmq", providers: [.apt(["libzmq3-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(
      name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
    .systemLibrary(
      name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"])]),
    .target(name: "CWireMessages", dependencies: ["CProtobufC"]),
    .target(name: "CProcess"),
    .target(name: "CMemoryMaps"),
    .target(name: "CConnectionGuard"),
    .target(name: "CKernels", cSettings: kernelSettings),

    // A target imports only what stands above it.
    library("ForeignText"),
    library("Files"),
    library("Settings", ["ForeignText"]),
    library("Tensors", ["COpenBLAS", "CXXHash", "CKernels"]),
    library("Tables", ["Tensors"]),
    library("Autodiff", ["Tensors", "CKernels"]),
    library(
      "Datasets",
      [
        "ForeignText", "Files", "Tensors", "CMemoryMaps",
        .product(name: "Yams", package: "Yams"),
      ]),
    library("Evaluation", ["Settings", "Tensors", "CKernels"]),
    library("Graphs", ["Tensors", "CKernels", "Datasets"]),
    library("Models", ["Settings", "Tensors", "Tables", "Autodiff", "Datasets", "Graphs"]),
    library("Messages", ["ForeignText", "CProtobufC", "CWireMessages"]),
    library("Enrollment", ["Messages"]),
    library(
      "ParameterServer",
      ["Settings", "Tensors", "CKernels", "Tables", "Messages", "Enrollment"]),
    library(
      "Checkpoints", ["ForeignText", "Files", "Tensors", "Tables", "Messages", "ParameterServer"]),
    library(
      "Coordination",
      [
        "ForeignText", "Files", "Evaluation", "Messages", "Enrollment",
        .product(name: "GRDB", package: "GRDB.swift"),
      ]),
    library(
      "Training",
      [
        "Tensors", "Tables", "Autodiff", "Datasets", "Models", "Evaluation", "Messages",
        "Enrollment",
      ]),
    library(
      "Nodes",
      [
        "Tables", "Datasets", "Messages", "Enrollment", "ParameterServer", "Coordination",
        "Training",
      ]),
    library(
      "Simulation",
      [
        "Settings", "Tensors", "Tables", "Datasets", "Graphs", "Models", "Evaluation", "Messages",
        "Enrollment", "ParameterServer", "Coordination", "Training", "Nodes",
      ]),
    .target(
      name: "RunConfiguration",
      dependencies: [
        "ForeignText", "Files", "Settings", "Evaluation", "Models", "ParameterServer",
        .product(name: "Yams", package: "Yams"),
      ],
      resources: [.embedInCode("Library")], swiftSettings: swiftSettings),
    library("Transport", ["ForeignText", "Files", "CZeroMQ", "CConnectionGuard", "Messages"]),
    library(
      "Runtime",
      [
        "ForeignText", "Files", "Settings", "Tensors", "Tables", "Datasets", "Graphs", "Models",
        "Evaluation", "Messages", "Enrollment", "Training", "ParameterServer", "Checkpoints",
        "Coordination", "Nodes", "Transport", "RunConfiguration",
        "CProcess", .product(name: "Logging", package: "swift-log"),
      ]),
    library(
      "Experiments",
      [
        "Files", "Settings", "Datasets", "Models", "Evaluation", "RunConfiguration", "Checkpoints",
        "Coordination", "Runtime",
        .product(name: "GRDB", package: "GRDB.swift"),
      ]),
    library(
      "Commands",
      [
        "ForeignText", "Files", "Settings", "Runtime", "Coordination", "Transport", "Datasets",
        "Models", "Evaluation", "RunConfiguration", "Experiments", "Simulation",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    .executableTarget(name: "mrdib", dependencies: ["Commands"], swiftSettings: swiftSettings),
    // The sources of a package of their own, built here so that the tests notice when they no
    // longer compile: they see what is public, as other packages do.
    .executableTarget(
      name: "margin-recommender",
      dependencies: [
        "Settings", "Tensors", "Tables", "Autodiff", "Datasets", "Models", "Evaluation", "Commands",
      ],
      path: "Examples/MarginRecommender/Sources/margin-recommender", packageAccess: false,
      swiftSettings: swiftSettings),

    // Tests mirror the targets.
    .target(name: "TestSupport", dependencies: ["Tensors"], path: "Tests/Support"),
    .testTarget(
      name: "TestSupportTests", dependencies: ["TestSupport"], swiftSettings: swiftSettings),
    tests("ForeignText", []),
    tests("Files", []),
    tests("Settings", []),
    tests("Tensors", ["CKernels"]),
    tests("Tables", ["Tensors"]),
    tests("Autodiff", ["Tensors", "CKernels"]),
    tests("Datasets", ["Tensors"]),
    tests("Evaluation", ["Tensors"]),
    tests("Graphs", ["Tensors", "Datasets"]),
    tests("Models", ["Settings", "Tensors", "Autodiff", "Tables", "Datasets", "Graphs"]),
    tests("RunConfiguration", ["Settings", "Evaluation", "Models", "ParameterServer"]),
    tests("Messages", []),
    tests("Enrollment", ["Messages"]),
    tests(
      "ParameterServer",
      ["Settings", "CKernels", "Enrollment", "Tensors", "Tables", "Messages"]),
    tests("Checkpoints", ["ParameterServer", "Tensors", "Tables", "Messages"]),
    tests(
      "Coordination",
      ["Messages", "Evaluation", "ParameterServer", .product(name: "GRDB", package: "GRDB.swift")]),
    tests(
      "Training",
      [
        "Autodiff", "Datasets", "Enrollment", "Evaluation", "Messages", "Models", "Tables",
        "Tensors",
      ]),
    tests(
      "Simulation",
      ["Coordination", "Enrollment", "Messages", "Nodes", "ParameterServer", "Tables", "Training"]),
    tests("Transport", ["Messages"]),
    tests(
      "Runtime",
      [
        "Checkpoints", "Coordination", "Datasets", "Messages", "Models", "Nodes", "Training",
        "Transport",
      ]),
    tests(
      "Experiments",
      [
        "Settings", "Runtime", "RunConfiguration", "Models", "Evaluation", "Datasets",
        "Coordination", .product(name: "GRDB", package: "GRDB.swift"),
      ]),
    .testTarget(name: "ArchitectureTests", swiftSettings: swiftSettings),
    .testTarget(
      name: "CommandTests", dependencies: ["mrdib", "margin-recommender"],
      swiftSettings: swiftSettings),
  ]
)
