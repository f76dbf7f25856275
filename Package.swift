// swift-tools-version:6.2
import PackageDescription

// "address" or "thread" (scripts/sanitize.sh), "fuzzer" (scripts/fuzz.sh): checks our own code at run time, not that of the packages we use.
let sanitizer = Context.environment["TANDEM_SANITIZER"]
let isFuzzing = sanitizer == "fuzzer"
let swiftSanitizer: [String] = sanitizer.map { ["-sanitize=\($0 == "fuzzer" ? "fuzzer,address" : $0)"] } ?? []
let cSanitizer: [String] = sanitizer.map { ["-fsanitize=" + (["address": "address,undefined", "fuzzer": "fuzzer-no-link,address,undefined"][$0] ?? $0)] } ?? []

// House rules for every target of ours: Swift 6 language mode and no warning left standing.
// In release without the run-time checks of exclusive access, which are 3 % of a phone call's cost; debug builds, and so all tests, have them.
// And with what one module calls in another compiled into it, small or not, public or not: 6 % of a call between a browser and a phone,
// whose sound goes through three modules.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .treatAllWarnings(as: .error),
    .unsafeFlags(["-enforce-exclusivity=unchecked", "-cross-module-optimization"], .when(configuration: .release)),
] + (swiftSanitizer.isEmpty ? [] : [.unsafeFlags(swiftSanitizer)])

// What goes through sound sample by sample is optimised in debug builds too: else most of a test run is spent in its loops.
let samples = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")

let package = Package(
    name: "tandem",
    products: [.executable(name: "tandem", targets: ["tandem"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    ],
    targets: [
        // C libraries, one system library each, and the shims for what Swift cannot import.
        .systemLibrary(name: "COpus", path: "Sources/CLibraries/COpus", pkgConfig: "opus", providers: [.apt(["libopus-dev"])]),
        .systemLibrary(name: "COgg", path: "Sources/CLibraries/COgg", pkgConfig: "ogg", providers: [.apt(["libogg-dev"])]),
        .systemLibrary(name: "CSRTP", path: "Sources/CLibraries/CSRTP", pkgConfig: "libsrtp2", providers: [.apt(["libsrtp2-dev"])]),
        .systemLibrary(name: "COpenSSL", path: "Sources/CLibraries/COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "COsipParser", path: "Sources/CLibraries/COsipParser", pkgConfig: "libosip2", providers: [.apt(["libosip2-dev"])]),
        .systemLibrary(name: "CSpandsp", path: "Sources/CLibraries/CSpandsp", pkgConfig: "spandsp", providers: [.apt(["libspandsp-dev"])]),
        .systemLibrary(name: "CSpeexDSP", path: "Sources/CLibraries/CSpeexDSP", pkgConfig: "speexdsp", providers: [.apt(["libspeexdsp-dev"])]),
        .target(
            name: "CShims", dependencies: ["COpus", "COpenSSL", "COsipParser", "CSpandsp"],
            path: "Sources/CLibraries/CShims", cSettings: [.define("_GNU_SOURCE"), .unsafeFlags(["-O2"] + cSanitizer, .when(configuration: .debug)), .unsafeFlags(cSanitizer, .when(configuration: .release))],
            // Whatever we link has the shims in it.
            linkerSettings: swiftSanitizer.isEmpty ? [] : [.unsafeFlags(swiftSanitizer)]),

        // Engines: no sockets, no clocks. NIOCore for value types only.
        .target(name: "SDP", swiftSettings: strict),
        .target(name: "RTP", dependencies: [nioCore, "COpenSSL", "CShims"], swiftSettings: samples),
        .target(name: "Transcode", dependencies: ["COpus", "CSpandsp", "CSpeexDSP", "CShims"], swiftSettings: samples),
        .target(name: "SIPStack", dependencies: ["SDP", nioCore, "COsipParser", "CShims"], swiftSettings: strict),
        .target(name: "RTCStack", dependencies: ["SDP", "RTP", nioCore, "COpenSSL", "CShims"], swiftSettings: strict),
        .target(name: "Dialplan", dependencies: ["Yams"], swiftSettings: strict),
        .target(
            name: "Web",
            resources: [.embedInCode("index.html"), .embedInCode("style.css"), .embedInCode("app.js"), .embedInCode("tandem.js")],
            swiftSettings: strict),

        // The only module that does I/O.
        .target(
            name: "Gateway",
            dependencies: [
                "SDP", "RTP", "Transcode", "SIPStack", "RTCStack", "Dialplan", "Web", "COgg", "COpenSSL", "CShims", "Yams",
                nioCore, nioPosix,
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "tandem",
            dependencies: ["Gateway", "Dialplan", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: strict),

        // `make bench`: the engines beside bare loops in C, and whole calls beside rtpengine (Bench/README.md).
        .target(name: "CBench", dependencies: ["COpus", "COpenSSL", "CSRTP", "CSpandsp", "CSpeexDSP", "COsipParser"], path: "Bench/CBench"),
        .executableTarget(
            name: "Bench",
            dependencies: [
                "CBench", "CShims", "CSpandsp", "RTP", "Transcode", "SDP", "SIPStack", "RTCStack", "Dialplan", "TestKit", "Yams", nioCore, nioPosix,
            ],
            path: "Bench/Bench", swiftSettings: strict),

        // Tests: a target per module, and the kit they share.
        .target(name: "TestKit", dependencies: ["RTP", "RTCStack", "CSRTP", nioCore], path: "Tests/TestKit", swiftSettings: samples),
        .testTarget(name: "SDPTests", dependencies: ["SDP"], swiftSettings: strict),
        .testTarget(name: "RTPTests", dependencies: ["RTP", "TestKit", "CSRTP", nioCore], swiftSettings: strict),
        .testTarget(name: "TranscodeTests", dependencies: ["Transcode", "TestKit", "CSpandsp", "COpus", "CShims"], swiftSettings: samples),
        .testTarget(
            name: "SIPStackTests", dependencies: ["SIPStack", "SDP", "TestKit", nioCore], exclude: ["Vectors"], swiftSettings: strict),
        .testTarget(name: "RTCStackTests", dependencies: ["RTCStack", "RTP", "SDP", "TestKit", nioCore], swiftSettings: strict),
        .testTarget(name: "DialplanTests", dependencies: ["Dialplan"], swiftSettings: strict),
        .testTarget(name: "WebTests", dependencies: ["Web"], swiftSettings: strict),
        .testTarget(
            name: "GatewayTests",
            dependencies: ["Gateway", "SDP", "RTP", "Transcode", "SIPStack", "RTCStack", "Dialplan", "TestKit", "COgg", "COpus", nioCore, nioPosix,
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
    ] + (isFuzzing ? [
        // `make fuzz`: what reads bytes from outside, under libFuzzer. Links only with the sanitizer.
        .target(name: "CFuzzer", path: "Fuzz/CFuzzer"),
        .executableTarget(
            name: "Fuzz",
            dependencies: ["CFuzzer", "TestKit", "SDP", "RTP", "Transcode", "SIPStack", "RTCStack", "Dialplan", "Gateway", nioCore],
            path: "Fuzz/Fuzz", swiftSettings: strict),
    ] : [])
)
