/// `tandem.yaml` (CONTRACT 3), typed and checked. A value: reloading makes a new one.
public struct Configuration: Sendable {
    /// The path it was read from, as the operator gave it.
    public var file = ""
    public var http = HTTP()
    public var browser = Browser()
    public var sip = SIP()
    public var media = Media()
    /// In the order of the file.
    public var trunks: [Trunk] = []
    /// In the order of the file.
    public var agents: [Agent] = []
    /// Path of the dial plan.
    public var dialplan = "dialplan.yaml"
    public var limits = Limits()
    public var calls = Calls()
    public var recordings = Recordings()
    public var log = Log()

    /// Every key at its default.
    public init() {}

    public func agent(named name: String) -> Agent? {
        agents.first { $0.name == name }
    }

    public func trunk(named name: String) -> Trunk? {
        trunks.first { $0.name == name }
    }

    /// The trunk an address may call in as: the one whose `accept_from` holds it with the longest prefix.
    /// - Parameter ip: a numeric IPv4 or IPv6 address; anything else belongs to no trunk.
    public func trunk(for ip: String) -> Trunk? {
        guard let address = IPAddress(ip) else { return nil }
        var best: (trunk: Trunk, prefix: Int)?
        for trunk in trunks {
            for block in trunk.acceptFrom where block.contains(address) && block.prefixLength > (best?.prefix ?? -1) {
                best = (trunk, block.prefixLength)
            }
        }
        return best?.trunk
    }
}

extension Configuration {
    /// An address and port to bind. Port 0 takes any free one.
    public struct Listen: Sendable, Hashable, CustomStringConvertible {
        /// Numeric, IPv6 without brackets.
        public var host: String
        public var port: Int

        public init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        /// `127.0.0.1:8080` or `[::1]:8080`
        public var description: String {
            host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }

        public var isLoopback: Bool {
            IPAddress(host)?.isLoopback ?? false
        }
    }

    /// Paths of a certificate chain and its key, both PEM.
    public struct TLS: Sendable, Equatable {
        public var certificate: String
        public var key: String
    }

    /// Browser signalling, pages, API and metrics.
    public struct HTTP: Sendable {
        public var listen = Listen(host: "127.0.0.1", port: 8080)
        public var tls: TLS?
        /// Allowed Origin values besides the same origin, lower case, without a path.
        public var origins: [String] = []
        public var adminToken: String?
    }

    /// Whether what somebody says is brought to a common level (automatic gain control).
    public enum AGC: String, Sendable, CaseIterable {
        case auto, off
    }

    /// The media side of browsers.
    public struct Browser: Sendable {
        /// UDP and ICE-TCP of media loop 0; loop k binds this port + k, unless it is 0.
        public var listen = Listen(host: "0.0.0.0", port: 40000)
        /// Numeric addresses put into candidates; nil for those of the host.
        public var advertise: [String]?
        /// The HS256 secret of `auth`; nil lets everybody call.
        public var jwtSecret: String?
        public var turn: Turn?
        public var agc = AGC.off
    }

    public struct Turn: Sendable, Equatable {
        public var urls: [String]
        public var secret: String?
        public var ttlSeconds: Int
    }

    public struct SIP: Sendable {
        public enum Transport: String, Sendable, CaseIterable {
            case udp, tcp, tls
        }

        public struct Listener: Sendable, Hashable, CustomStringConvertible {
            public var transport: Transport
            public var address: Listen

            public init(transport: Transport, address: Listen) {
                self.transport = transport
                self.address = address
            }

            /// `udp:127.0.0.1:5060`
            public var description: String { "\(transport.rawValue):\(address)" }
        }

        public var listen = [
            Listener(transport: .udp, address: Listen(host: "127.0.0.1", port: 5060)),
            Listener(transport: .tcp, address: Listen(host: "127.0.0.1", port: 5060)),
        ]
        /// The numeric address carriers see in Contact, Via and SDP; nil for the one the listener has.
        public var advertise: String?
        public var rtpPorts = 20000...29999
        public var tls: TLS?
    }

    public struct Media: Sendable {
        /// How many media loops; nil for one per core.
        public var loops: Int?
        /// Runs the loops under SCHED_RR where that is allowed.
        public var realtime = false
        /// Opus toward browsers, by what is at the other end of the call.
        public var opus = Opus()
    }

    public struct Opus: Sendable {
        public var trunk = OpusEncoding(bitrate: 24000, complexity: 1)
        public var agent = OpusEncoding(bitrate: 24000, complexity: 5)
    }

    public struct OpusEncoding: Sendable, Equatable {
        /// Bits per second, 6000 to 510000.
        public var bitrate: Int
        /// 0 to 10.
        public var complexity: Int
    }

    public struct Limits: Sendable {
        public var maxCalls = 1000
        /// How long a drain waits for calls to end by themselves.
        public var drainSeconds = 300
        public var unauthenticated = Unauthenticated()
    }

    /// What callers who prove nothing about themselves may cost, all of them together: browsers without `browser.auth`.
    public struct Unauthenticated: Sendable, Equatable {
        /// Calls at the same time that leave by a trunk.
        public var paidCalls = 10
        /// Different numbers called by trunks within an hour.
        public var newDestinationsPerHour = 100

        public init() {}
    }

    public struct Calls: Sendable {
        public enum Database: Sendable, Equatable {
            /// Path of the file.
            case sqlite(String)
            /// The whole URL. It may hold a password: never print it.
            case postgres(String)
        }

        public var database = Database.sqlite("../data/calls.db")
        /// How long records are kept; 0 keeps them for ever.
        public var retentionDays = 90
    }

    /// What is recorded is the dial plan's to say (`record`); how, is said here.
    public struct Recordings: Sendable, Equatable {
        /// The word is also the end of the files' names.
        public enum Format: String, Sendable, CaseIterable {
            case wav, opus
        }

        /// Where the files go; made when the first call is recorded.
        public var folder = "../data/recordings"
        public var format = Format.wav
        /// How long they are kept; 0 keeps them for ever.
        public var retentionDays = 30
        /// Both sides hear a beep at once and every 15 s.
        public var tone = false
        /// Path of a WAV file that is played before sound is recorded.
        public var announcement: String?
        /// False silences keys that are heard as tones.
        public var keepsDigits = true

        public init() {}
    }

    public struct Log: Sendable {
        public enum Level: String, Sendable, CaseIterable {
            case trace, debug, info, notice, warning, error, critical
        }

        public enum Format: String, Sendable, CaseIterable {
            case text, json
        }

        public var level = Level.info
        public var format = Format.text
    }
}
