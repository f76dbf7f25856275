import Glibc
import Logging
import Synchronization

/// The log of the process: swift-log to standard error, as `log` in tandem.yaml asks for it.
public enum GatewayLog {
    private struct Settings {
        var isBootstrapped = false
        var log = Configuration.Log()
    }

    private static let settings = Mutex(Settings())

    /// Makes every logger created from now on follow `configuration`. May be called again: swift-log's own bootstrap, which may not,
    /// happens the first time.
    public static func bootstrap(_ configuration: Configuration.Log) {
        let isFirst = settings.withLock { settings in
            settings.log = configuration
            defer { settings.isBootstrapped = true }
            return !settings.isBootstrapped
        }
        guard isFirst else { return }
        // Standard error may be a pipe whose reader ends: that costs lines, and must not cost the calls.
        signal(SIGPIPE, SIG_IGN)
        LoggingSystem.bootstrap({ label, provider in
            var handler = LogLineHandler(label: label, configuration: settings.withLock { $0.log }, output: LogOutput.standardError)
            handler.metadataProvider = provider
            return handler
        }, metadataProvider: nil)
    }
}

extension Configuration.Log.Level {
    /// The same level in swift-log's words.
    var level: Logger.Level {
        switch self {
        case .trace: .trace
        case .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        case .critical: .critical
        }
    }
}
