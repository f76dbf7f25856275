import Testing

@testable import Gateway

@Suite struct StreamBatchTests {
    private let batch = StreamBatch()

    private func add(_ text: String, to descriptor: Int32) -> Bool {
        Array(text.utf8).withUnsafeBytes { batch.add($0, to: descriptor) }
    }

    /// What is taken out, as “descriptor:text”.
    private func drained(_ during: () -> Void = {}) -> [String] {
        var taken: [String] = []
        let isWhole = batch.drain { bytes, descriptor in
            taken.append("\(descriptor):\(String(decoding: bytes, as: UTF8.self))")
            during()
        }
        return isWhole ? taken : ["not now"]
    }

    @Test func everythingComesOutInOrderAndOnce() {
        #expect(add("one", to: 5) && add("two", to: 7) && add("three", to: 5))
        #expect(drained() == ["5:one", "7:two", "5:three"])
        #expect(drained().isEmpty)
    }

    /// A stream that is refused may end another one, whose last words are still to be written.
    @Test func whatIsAddedMeanwhileComesLast() {
        #expect(add("one", to: 5) && add("two", to: 7))
        var within: [[String]] = []
        let taken = drained {
            guard within.isEmpty else { return }
            #expect(add("last", to: 9))
            within.append(drained())
        }
        #expect(taken == ["5:one", "7:two", "9:last"] && within == [["not now"]])
    }

    @Test func whatDoesNotFitIsRefusedUntilItIsEmpty() {
        let half = String(repeating: "x", count: 200 << 10)
        #expect(add(half, to: 5) && !add(half, to: 5))
        #expect(drained().count == 1)
        #expect(add(half, to: 5))
    }
}
