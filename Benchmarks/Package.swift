// swift-tools-version:6.2
import PackageDescription

let package = Package(
  name: "Benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "Evident", path: "..")],
  targets: [
    .executableTarget(
      name: "evident-bench",
      dependencies: [.product(name: "EvidentEngine", package: "Evident")],
      swiftSettings: [.swiftLanguageMode(.v6)])
  ]
)
