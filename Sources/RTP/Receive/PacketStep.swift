/// Timestamp units from one packet of sound to the next, learned from packets that are neighbours.
struct PacketStep {
    /// The longest packet of any codec here, in milliseconds. A longer distance is silence suppression.
    static let maximumMilliseconds: Int64 = 120

    private(set) var samples: Int64
    /// False while `samples` is only what the session description said.
    private(set) var isMeasured = false
    private var candidate: Int64 = 0
    private let maximum: Int64

    init(clockRate: Int, milliseconds: Int) {
        samples = Int64(clockRate) * Int64(milliseconds) / 1_000
        maximum = Int64(clockRate) * Self.maximumMilliseconds / 1_000
    }

    /// - Parameter distance: timestamp difference of two packets that are neighbours in the sequence
    mutating func learn(_ distance: Int64) {
        guard isPlausible(distance) else { return }
        // A changed value must be seen twice: one pause shorter than 120 ms is not a new packet time.
        if !isMeasured || distance == candidate {
            samples = distance
            isMeasured = true
        }
        candidate = distance
    }

    func isPlausible(_ distance: Int64) -> Bool { distance > 0 && distance <= maximum }
}
