import Dialplan

/// What the switchboard decides by. An immutable value, swapped whole on a reload.
struct SwitchboardSettings: Sendable {
    var configuration: Configuration
    var plan: Plan
    /// The numeric addresses of a trunk host's name, as known at present; never waits.
    var addresses: @Sendable (String) -> [String] = { _ in [] }
}
