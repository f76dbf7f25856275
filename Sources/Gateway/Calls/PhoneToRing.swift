import Dialplan

/// A phone that is to ring beside others.
struct PhoneToRing: Sendable, Equatable {
    /// To it, tried in order.
    var ways: [TrunkStep]
    /// Who hears how its call goes.
    var callback: StatusCallback?
}
