// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "MarginRecommender",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "mrdib", path: "../..")],
  targets: [
    .executableTarget(
      name: "margin-recommender",
      dependencies: [.product(name: "Recommenders", package: "mrdib")],
      swiftSettings: [.swiftLanguageMode(.v6)])
  ]
)
