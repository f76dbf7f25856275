import Dialplan
import Glibc

/// What the dial plan wants to know of the configuration, in its own words.
extension Configuration {
    /// Where calls out by each trunk go.
    var planHosts: [String: [TrunkTarget]] {
        Dictionary(
            trunks.map { trunk in
                (trunk.name, trunk.hosts.map { host in
                    TrunkTarget(host: host.host, port: host.port, transport: host.transport?.rawValue, isSecure: host.isSecure)
                })
            },
            uniquingKeysWith: { first, _ in first })
    }

    /// The addresses SIP calls arrive at here. A listener on every address is taken for the loopback one and the advertised
    /// one: those are what a trunk that points at ourselves is written with.
    var ownSIPAddresses: Set<String> {
        var result: Set<String> = []
        for listener in sip.listen {
            let isAnywhere = IPAddress(listener.address.host)?.isUnspecified ?? false
            var hosts = isAnywhere ? ["127.0.0.1", "::1"] : [listener.address.host]
            if let advertise = sip.advertise { hosts.append(advertise) }
            for host in hosts { result.insert(TrunkTarget(host: host, port: listener.address.port).address) }
        }
        return result
    }

    /// Files beside the plan.
    var planFiles: PlanFiles {
        let plan = dialplan
        return PlanFiles(
            resolve: { ConfigurationFile.resolve($0, besides: plan) },
            head: { path throws(PlanFiles.Unreadable) in
                do throws(ConfigurationFile.Unreadable) {
                    return try ConfigurationFile.head(path, limit: PlanFiles.headLimit)
                } catch {
                    throw PlanFiles.Unreadable(reason: error.reason)
                }
            })
    }
}

extension ConfigurationFile {
    /// The first bytes of a regular file, and the size of it all.
    static func head(_ path: String, limit: Int) throws(Unreadable) -> (bytes: [UInt8], size: Int) {
        guard !path.utf8.contains(0) else { throw Unreadable(reason: "the path is not valid") }
        // A pipe would wait for its writer: a plan that names one must not stop the gateway.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Unreadable(reason: lastError()) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Unreadable(reason: lastError()) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Unreadable(reason: "it is no regular file") }
        var bytes = [UInt8](repeating: 0, count: limit)
        var count = 0
        while count < limit {
            let got = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress.map { $0 + count }, limit - count) }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw Unreadable(reason: lastError()) }
            if got == 0 { break }
            count += got
        }
        return (Array(bytes.prefix(count)), Int(status.st_size))
    }
}
