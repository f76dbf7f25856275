import Logging
import NIOConcurrencyHelpers
import NIOPosix

#if canImport(Glibc)
    import Glibc
#endif

/// The addresses of trunk hosts that are named: asked of the system beside everything else, and known without waiting.
///
/// A name whose lookup fails keeps the addresses it had.
final class HostDirectory: Sendable {
    private let known = NIOLockedValueBox<[String: [String]]>([:])
    private let logger: Logger
    private let lookUp: @Sendable (String) -> [String]

    /// How often names are asked for again: records of carriers live for a minute to an hour.
    static let refreshSeconds = 60

    /// - Parameter lookUp: the numeric addresses of a name, empty for none; may take its time
    init(logger: Logger, lookUp: @escaping @Sendable (String) -> [String] = HostDirectory.system) {
        self.logger = logger
        self.lookUp = lookUp
    }

    /// As known at present; empty for a name that is not known (yet).
    func addresses(of name: String) -> [String] { known.withLockedValue { $0[name] ?? [] } }

    /// Asks for the names of these trunks' hosts and forgets all others. Returns when every one was asked for.
    func resolve(_ trunks: [Trunk]) async {
        let names = Set(trunks.flatMap(\.hosts).filter { $0.address == nil }.map(\.host))
        known.withLockedValue { known in known = known.filter { names.contains($0.key) } }
        for name in names {
            let lookUp = lookUp
            let found = (try? await NIOThreadPool.singleton.runIfActive { lookUp(name) }) ?? []
            note(found, of: name)
        }
    }

    /// Asks at once and then again and again, until the task is cancelled.
    func keep(_ trunks: @Sendable () -> [Trunk]) async {
        while !Task.isCancelled {
            await resolve(trunks())
            try? await Task.sleep(for: .seconds(Self.refreshSeconds))
        }
    }

    private func note(_ found: [String], of name: String) {
        guard !found.isEmpty else { return logger.warning("the name of a trunk's host is not known: \(name)") }
        let before = known.withLockedValue { known in
            defer { known[name] = found }
            return known[name]
        }
        if before != found { logger.info("trunk host \(name) has \(found.count) address\(found.count == 1 ? "" : "es")") }
    }

    /// A and AAAA records, or whatever else the system knows names by, in its order of preference (RFC 6724).
    @Sendable static func system(_ name: String) -> [String] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        hints.ai_flags = Int32(AI_ADDRCONFIG)
        var first: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &first) == 0 else { return [] }
        defer { freeaddrinfo(first) }
        var addresses: [String] = []
        var next = first
        while let entry = next {
            next = entry.pointee.ai_next
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let result = getnameinfo(
                entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
            guard result == 0 else { continue }
            let address = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if !addresses.contains(address) { addresses.append(address) }
        }
        return addresses
    }
}
