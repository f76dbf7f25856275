import Dialplan

/// What the switchboard decides by. An immutable value, swapped whole on a reload.
struct SwitchboardSettings: Sendable {
    var configuration: Configuration
    var plan: Plan
}
