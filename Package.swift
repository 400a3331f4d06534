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
      targets: ["Settings", "Tensors", "Tables", "Datasets", "Recommenders", "Commands"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    // C libraries and the few measured C loops.
    // Without pkg-config: Debian's libzmq.pc has flags for Kerberos's headers, which the package
    // manager refuses with a warning each time, and the header needs none of them.
    .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(
      name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
    .systemLibrary(
      name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
    .systemLibrary(name: "CJansson", pkgConfig: "jansson", providers: [.apt(["libjansson-dev"])]),
    .systemLibrary(
      name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CExpat", pkgConfig: "expat", providers: [.apt(["libexpat1-dev"])]),
    // Without pkg-config, as for ZeroMQ: its file names the libraries of TLS, which is not used.
    .systemLibrary(name: "CMicroHTTPD", providers: [.apt(["libmicrohttpd-dev"])]),
    .target(name: "CWireMessages", dependencies: ["CProtobufC"]),
    .target(name: "CProcess"),
    .target(name: "CMemoryMaps"),
    .target(name: "CConnectionGuard"),
    .target(name: "CKernels", cSettings: kernelSettings),

    // A target imports only what stands above it.
    library("Files"),
    library("Telemetry"),
    library("Settings", ["Files"]),
    library("Tensors", ["COpenBLAS", "CXXHash", "CKernels"]),
    library("ObjectStorage", ["Files", "Tensors", "CCurl", "CExpat"]),
    library("Tables", ["Tensors"]),
    library(
      "Datasets",
      ["Files", "Tensors", "CKernels", "CMemoryMaps", .product(name: "Yams", package: "Yams")]),
    library(
      "DataPreparation",
      ["Files", "Tensors", "Datasets", "CZlib", "CZstd", "CZip", "CJansson"]),
    library("Recommenders", ["Settings", "Tensors", "CKernels", "Tables", "Datasets"]),
    library("Protocol", ["Files", "CProtobufC", "CWireMessages"]),
    library("ParameterServer", ["Settings", "Tensors", "CKernels", "Tables", "Protocol"]),
    library(
      "Checkpoints",
      ["Files", "Tensors", "ObjectStorage", "Tables", "Protocol", "ParameterServer"]),
    library(
      "Coordinator",
      ["Files", "Recommenders", "Protocol", .product(name: "GRDB", package: "GRDB.swift")]),
    library(
      "Worker", ["Telemetry", "Tensors", "Tables", "Datasets", "Recommenders", "Protocol"]),
    library(
      "Nodes", ["Tables", "Datasets", "Protocol", "ParameterServer", "Coordinator", "Worker"]),
    library(
      "Simulation",
      [
        "Settings", "Tensors", "Tables", "Datasets", "Recommenders", "Protocol",
        "ParameterServer", "Coordinator", "Worker", "Nodes",
      ]),
    library(
      "Configuration",
      [
        "Files", "Settings", "Datasets", "Recommenders", "ParameterServer",
        .product(name: "Yams", package: "Yams"),
      ]),
    library("Transport", ["Files", "CZeroMQ", "CConnectionGuard", "Protocol"]),
    library("Web", ["Files", "Transport", "CMicroHTTPD"]),
    // The files of Site are literals in PageFiles.swift, see scripts/embed-page.
    .target(
      name: "Page", dependencies: ["Web"], exclude: ["Site"], swiftSettings: swiftSettings),
    library(
      "Runtime",
      [
        "Files", "Telemetry", "Settings", "Tensors", "Tables", "Datasets", "Recommenders",
        "Protocol", "Worker", "ParameterServer", "Checkpoints", "Coordinator", "Nodes",
        "Transport", "Web", "Configuration", "CProcess",
        .product(name: "Logging", package: "swift-log"),
      ]),
    library(
      "Experiments",
      [
        "Files", "Settings", "Datasets", "Recommenders", "Configuration", "Checkpoints",
        "Coordinator", "Runtime", "Tensors", .product(name: "GRDB", package: "GRDB.swift"),
      ]),
    library(
      "Reports",
      [
        "Files", "Settings", "Tensors", "Datasets", "Recommenders", "Configuration", "Runtime",
        "Experiments",
      ]),
    library(
      "CostModel",
      [
        "Settings", "Tensors", "Tables", "Datasets", "Recommenders", "Configuration", "Protocol",
        "ParameterServer", "Checkpoints", "Worker", "Transport", "Runtime", "Simulation",
      ]),
    library(
      "Commands",
      [
        "Files", "Settings", "Tensors", "Runtime", "Coordinator", "Transport", "Web", "Page",
        "Datasets", "DataPreparation", "Recommenders", "Configuration", "Experiments", "Reports",
        "Simulation", "CostModel",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    .executableTarget(name: "mrdib", dependencies: ["Commands"], swiftSettings: swiftSettings),
    // What `scripts/bench` measures parts of the engine with; it is not installed.
    .executableTarget(
      name: "measure-engine",
      dependencies: [
        "CKernels", "CostModel", "ParameterServer", "Protocol", "Recommenders", "Runtime", "Tables",
        "Tensors", "Transport", "Worker",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Benchmarks/measure-engine", swiftSettings: swiftSettings),
    // The sources of a package of their own, built here so that the tests notice when they no
    // longer compile: they see what is public, as other packages do.
    .executableTarget(
      name: "margin-recommender",
      dependencies: ["Settings", "Tensors", "Tables", "Datasets", "Recommenders", "Commands"],
      path: "Examples/MarginRecommender/Sources/margin-recommender", packageAccess: false,
      swiftSettings: swiftSettings),

    // Tests mirror the targets.
    .target(name: "TestSupport", dependencies: ["Tensors"], path: "Tests/Support"),
    .testTarget(
      name: "TestSupportTests", dependencies: ["TestSupport"], swiftSettings: swiftSettings),
    tests("Files", []),
    tests("Telemetry", []),
    tests("Settings", []),
    tests("Tensors", ["CKernels"]),
    tests("ObjectStorage", ["Files"]),
    tests("Tables", ["Tensors"]),
    tests("Datasets", ["Tensors"]),
    tests("DataPreparation", ["Datasets", "Tensors", "CZip", "CZlib", "CZstd"]),
    tests("Recommenders", ["Settings", "Tensors", "Tables", "Datasets"]),
    tests("Configuration", ["Settings", "Recommenders", "ParameterServer"]),
    tests("Protocol", []),
    tests("ParameterServer", ["Settings", "CKernels", "Tensors", "Tables", "Protocol"]),
    tests(
      "Checkpoints",
      ["Files", "ObjectStorage", "ParameterServer", "Tensors", "Tables", "Protocol"]),
    tests(
      "Coordinator",
      [
        "Protocol", "Recommenders", "ParameterServer",
        .product(name: "GRDB", package: "GRDB.swift"),
      ]),
    tests(
      "Worker",
      [
        "Datasets", "ParameterServer", "Protocol", "Recommenders", "Tables", "Telemetry", "Tensors",
      ]),
    tests(
      "Nodes",
      [
        "Coordinator", "Datasets", "ParameterServer", "Protocol", "Recommenders", "Tables",
        "Worker",
      ]),
    tests("Simulation", ["Coordinator", "Protocol", "Nodes", "ParameterServer", "Tables"]),
    tests("Transport", ["Protocol"]),
    tests("Web", []),
    tests("Page", ["Web"]),
    tests(
      "Runtime",
      [
        "Files", "Checkpoints", "Coordinator", "Datasets", "Protocol", "Recommenders", "Nodes",
        "Tables", "Tensors", "Worker", "Telemetry", "Transport",
      ]),
    tests(
      "Experiments",
      [
        "Settings", "Runtime", "Configuration", "Recommenders", "Datasets", "Coordinator",
        .product(name: "GRDB", package: "GRDB.swift"),
      ]),
    tests("Reports", ["Recommenders", "Tensors"]),
    tests(
      "CostModel",
      [
        "Checkpoints", "Configuration", "Datasets", "ParameterServer", "Protocol", "Runtime",
        "Settings", "Simulation", "Tables", "Tensors",
      ]),
    .testTarget(name: "ArchitectureTests", swiftSettings: swiftSettings),
    .testTarget(
      name: "CommandTests", dependencies: ["mrdib", "margin-recommender"],
      swiftSettings: swiftSettings),
  ]
)
