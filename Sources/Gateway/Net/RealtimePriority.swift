import Glibc

/// Real-time priority for the calling thread (`media.realtime`).
enum RealtimePriority {
    /// Above every thread of normal priority, below what the system itself runs in real time.
    private static let level: Int32 = 10

    /// Asks for SCHED_RR. Needs CAP_SYS_NICE, or a limit set by `LimitRTPRIO`.
    /// - Returns: nil, or why the system refuses, in its words.
    static func request() -> String? {
        var parameters = sched_param()
        parameters.sched_priority = level
        let error = pthread_setschedparam(pthread_self(), SCHED_RR, &parameters)
        return error == 0 ? nil : String(cString: strerror(error))
    }
}
