/// What the dial plan must know of the configuration. A plan keeps what it needs of it, so that an explanation can name
/// the very addresses that would be dialled.
public struct PlanContext: Sendable {
    /// Trunk names with their country's digits, empty for a trunk without one.
    public var trunks: [String: String]
    /// Agents steps may name.
    public var agents: Set<String>
    /// Where calls out by each trunk go, in order. Nil where that is not known: then nothing is said about hosts.
    public var hosts: [String: [TrunkTarget]]?
    /// Addresses this gateway itself takes SIP calls at, as `192.0.2.1:5060`: a trunk that points there is a loop.
    public var ownAddresses: Set<String>
    /// Whether browsers must show a token. If not, whoever reaches the page can call.
    public var browserIsAuthenticated: Bool
    /// Looks at the files that `play` steps name; nil leaves them unchecked.
    public var files: PlanFiles?

    public init(
        trunks: [String: String], agents: Set<String>, hosts: [String: [TrunkTarget]]? = nil, ownAddresses: Set<String> = [],
        browserIsAuthenticated: Bool = false, files: PlanFiles? = nil
    ) {
        self.trunks = trunks
        self.agents = agents
        self.hosts = hosts
        self.ownAddresses = ownAddresses
        self.browserIsAuthenticated = browserIsAuthenticated
        self.files = files
    }
}

/// How a plan comes to its files without doing I/O itself.
public struct PlanFiles: Sendable {
    /// Why a file cannot be read, in the system's words, such as `No such file or directory`.
    public struct Unreadable: Error, Equatable {
        public let reason: String

        public init(reason: String) {
            self.reason = reason
        }
    }

    /// As many bytes from a file's start as its header may have, larger blocks of other programs' remarks included.
    public static let headLimit = 64 * 1024

    /// The path a name in the plan stands for; relative ones start at the plan's folder.
    public let resolve: @Sendable (_ name: String) -> String
    /// The first bytes of the file at a resolved path, at most `headLimit`, and the size of the whole file.
    public let head: @Sendable (_ path: String) throws(Unreadable) -> (bytes: [UInt8], size: Int)

    public init(
        resolve: @escaping @Sendable (_ name: String) -> String,
        head: @escaping @Sendable (_ path: String) throws(Unreadable) -> (bytes: [UInt8], size: Int)
    ) {
        self.resolve = resolve
        self.head = head
    }
}
