// swift-tools-version:6.2
import PackageDescription

// Language settings shared by every Swift target of ours.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")

let package = Package(
  name: "Evident",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "evident", targets: ["evident"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    // The trusted closure: what decides a verdict. Pure Swift plus swift-crypto.
    .target(name: "Digests", dependencies: [crypto], swiftSettings: strict),
    .target(name: "ModelGraph", dependencies: ["Digests"], swiftSettings: strict),
    .target(name: "Tokenizers", dependencies: ["Digests"], swiftSettings: strict),
    .target(name: "Transparency", dependencies: ["Digests", crypto], swiftSettings: strict),
    .target(
      name: "Receipts", dependencies: ["Digests", "ModelGraph", "Transparency", crypto], swiftSettings: strict),
    .target(
      name: "Verification",
      dependencies: ["Digests", "ModelGraph", "Tokenizers", "Receipts", "Transparency", crypto],
      swiftSettings: strict),

    // Everything below may be wrong, slow or hostile and a verdict still holds.
    .target(
      name: "CKernels",
      cSettings: [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror"])]),
    .target(
      name: "CEmbeddedModel",
      exclude: ["evident-tiny.pack"],
      cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
    .target(
      name: "CGzip",
      cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra", "-Werror"])], linkerSettings: [.linkedLibrary("z")]),
    .target(
      name: "ModelFiles", dependencies: ["CEmbeddedModel", "Digests", "ModelGraph", "Tokenizers"],
      swiftSettings: strict),
    .target(
      name: "ModelSigning", dependencies: ["Digests", "ModelFiles", "Receipts", crypto], swiftSettings: strict),
    .target(
      name: "Networking",
      dependencies: [
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ],
      swiftSettings: strict),
    .target(
      name: "Hub",
      dependencies: [
        "Digests", "ModelFiles", "ModelGraph", "Networking", crypto,
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      swiftSettings: strict),
    .target(
      name: "TransparencyLog",
      dependencies: ["Digests", "Receipts", "Transparency", .product(name: "GRDB", package: "GRDB.swift")],
      swiftSettings: strict),
    .target(name: "Witness", dependencies: ["Digests", "Transparency", "TransparencyLog"], swiftSettings: strict),
    .target(
      name: "LogReading",
      dependencies: [
        "Digests", "ModelFiles", "Networking", "Receipts", "Transparency", "TransparencyLog",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      swiftSettings: strict),
    .target(
      name: "WitnessServer",
      dependencies: [
        "Digests", "Networking", "Transparency", "TransparencyLog", "Witness",
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      swiftSettings: strict),
    .target(
      name: "Inference", dependencies: ["Digests", "ModelGraph", "CKernels"],
      swiftSettings: strict),
    .target(
      name: "Node",
      dependencies: [
        "Digests", "ModelGraph", "Tokenizers", "Receipts", "Verification", "Inference", "ModelFiles", "Transparency",
        crypto,
      ],
      swiftSettings: strict),
    .target(
      name: "Server",
      dependencies: [
        "CGzip", "Digests", "ModelFiles", "ModelGraph", "Networking", "Node", "Receipts", "Transparency",
        "TransparencyLog", crypto,
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "evident",
      dependencies: [
        "Digests", "ModelGraph", "Tokenizers", "Receipts", "Verification", "ModelFiles", "ModelSigning", "Hub",
        "Inference", "Networking", "Node", "Server", "Transparency", "TransparencyLog", "Witness", "WitnessServer",
        "LogReading", crypto, .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "SystemPackage", package: "swift-system"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      swiftSettings: strict),
    // What several test targets need.
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
    .testTarget(name: "DigestsTests", dependencies: ["Digests"], swiftSettings: strict),
    .testTarget(name: "TidyTests", swiftSettings: strict),
    .testTarget(
      name: "ModelGraphTests", dependencies: ["Digests", "ModelGraph", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "TokenizersTests", dependencies: ["Digests", "Tokenizers", "TestSupport"], swiftSettings: strict),
    // A process that tests of the model store can kill.
    .executableTarget(
      name: "model-store-helper", dependencies: ["ModelFiles", "ModelGraph"], path: "Tests/ModelStoreHelper",
      swiftSettings: strict),
    .testTarget(
      name: "ModelFilesTests",
      dependencies: ["Digests", "ModelGraph", "ModelFiles", "Tokenizers", "model-store-helper", "TestSupport"],
      exclude: ["Fixtures"], swiftSettings: strict),
    .testTarget(
      name: "ModelSigningTests",
      dependencies: ["Digests", "ModelFiles", "ModelSigning", "Receipts", "Tampering", "TestSupport"],
      exclude: ["Fixtures"], swiftSettings: strict),
    .testTarget(name: "NetworkingTests", dependencies: ["Networking"], swiftSettings: strict),
    .testTarget(
      name: "HubTests",
      dependencies: ["Digests", "Hub", "ModelFiles", "Networking", .product(name: "NIOHTTP1", package: "swift-nio")],
      swiftSettings: strict),
    .testTarget(
      name: "InferenceTests",
      dependencies: ["Digests", "ModelGraph", "Tokenizers", "ModelFiles", "Inference", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "ReceiptsTests", dependencies: ["Digests", "ModelGraph", "Receipts", "Transparency", crypto],
      exclude: ["Vectors"], swiftSettings: strict),
    .testTarget(
      name: "TransparencyTests", dependencies: ["Digests", "Transparency", "TestSupport"], exclude: ["Fixtures"],
      swiftSettings: strict),
    // A process that tests of the log can kill.
    .executableTarget(
      name: "transparency-log-helper", dependencies: ["Transparency", "TransparencyLog"],
      path: "Tests/TransparencyLogHelper", swiftSettings: strict),
    .testTarget(
      name: "TransparencyLogTests",
      dependencies: [
        "Digests", "ModelGraph", "Receipts", "Transparency", "TransparencyLog", "transparency-log-helper",
        "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "LogReadingTests",
      dependencies: [
        "Digests", "LogReading", "ModelGraph", "Receipts", "Transparency", "TransparencyLog", "TestSupport",
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
      ],
      swiftSettings: strict),
    // A process that tests of the witness can kill.
    .executableTarget(
      name: "witness-helper", dependencies: ["Transparency", "TransparencyLog", "Witness"],
      path: "Tests/WitnessHelper", swiftSettings: strict),
    .testTarget(
      name: "WitnessTests",
      dependencies: [
        "Digests", "Transparency", "TransparencyLog", "Witness", "WitnessServer", "witness-helper", "TestSupport",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      swiftSettings: strict),
    // Damaged JSON, for the tables of what must follow.
    .target(name: "Tampering", dependencies: ["Digests"], path: "Tests/Tampering", swiftSettings: strict),
    .testTarget(
      name: "VerificationTests",
      dependencies: ["Digests", "ModelGraph", "Receipts", "Tampering", "Transparency", "Verification", "TestSupport"],
      exclude: ["Fixtures"], swiftSettings: strict),
  ]
)
