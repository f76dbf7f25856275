/// The echo that a phone line's hybrid sends back of what its phone hears: late, weaker and coloured.
final class HybridEcho {
    private let listener: Listener
    private let delay: Int
    private let response: [Double]
    /// The place of the next sample in what was heard.
    private var place: Int?

    /// - Parameters:
    ///   - milliseconds: from a sound's arrival to its echo
    ///   - loss: of the echo's power, in dB, for a sound of middle frequencies
    init(of listener: Listener, after milliseconds: Int, loss: Double) {
        self.listener = listener
        delay = milliseconds * listener.rate / 1000
        let shape = [0.2, 0.9, 0.6, -0.1, -0.5, -0.4, 0, 0.3, 0.2, 0, -0.2, -0.1]
        let gain = powerOfTen(-loss / 20) / shape.reduce(0) { $0 + $1 * $1 }.squareRoot()
        response = shape.map { $0 * gain }
    }

    /// The next samples.
    func next(_ count: Int) -> [Int16] {
        let start = place ?? listener.sound.count - delay - count
        place = start + count
        let heard = listener.sound
        return (start..<(start + count)).map { position in
            var sum = 0.0
            for (tap, weight) in response.enumerated() where heard.indices.contains(position - tap) {
                sum += weight * Double(heard[position - tap])
            }
            return Int16(sum.rounded())
        }
    }
}
