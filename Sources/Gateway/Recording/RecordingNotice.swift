import NIOCore

/// The announcement that a call is recorded, played to everybody on it before they are joined. Confined to the call's loop.
final class RecordingNotice {
    private let players: [SoundPlayer]
    private let bridges: [Bridge]

    init(_ announcement: Recording, to ports: [any AudioPort]) {
        let players = ports.map { _ in SoundPlayer(.recording(announcement)) }
        self.players = players
        bridges = zip(ports, players).map { Bridge($0, $1) }
    }

    func start(now: NIODeadline) {
        for bridge in bridges { bridge.start(now: now) }
    }

    func stop() {
        for bridge in bridges { bridge.stop() }
    }

    /// One slot of the call's grid.
    func tick(now: NIODeadline) {
        for player in players { player.tick(now: now) }
    }

    /// Everything was said.
    var isOver: Bool { players.allSatisfy { $0.isOver } }
}
