import Glibc

/// Real-time scheduling of media threads: the system lets them run before anything else that wants the processor.
enum RealtimePriority {
    /// Low among real-time priorities: the kernel's own threads and audio servers go before us.
    private static let priority: Int32 = 10

    /// Gives the calling thread SCHED_RR.
    /// - Returns: the system's reason where it refuses; nil when it is done.
    static func take() -> String? {
        var parameters = sched_param()
        parameters.sched_priority = priority
        let status = pthread_setschedparam(pthread_self(), SCHED_RR, &parameters)
        return status == 0 ? nil : String(cString: strerror(status))
    }
}
