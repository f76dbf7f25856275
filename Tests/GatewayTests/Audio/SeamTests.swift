import Testing

@testable import Gateway

@Suite struct SeamTests {
    private func join(_ seam: inout Seam, _ samples: [Int16]) -> [Int16] {
        var samples = samples
        samples.withUnsafeMutableBufferPointer { seam.join($0, rate: 8000) }
        return samples
    }

    @Test func soundThatBreaksOffDecays() {
        var seam = Seam()
        #expect(join(&seam, [Int16](repeating: 8000, count: 160)).allSatisfy { $0 == 8000 })
        seam.open()
        let after = join(&seam, [Int16](repeating: 0, count: 160))
        #expect(after[0] == 8000 && after.dropFirst(40).allSatisfy { $0 == 0 })
        #expect(zip(after, after.dropFirst()).allSatisfy { abs(Int($0) - Int($1)) <= 200 })
        // Once.
        #expect(join(&seam, [Int16](repeating: 5000, count: 160)).allSatisfy { $0 == 5000 })
    }

    @Test func afterSilenceNothingIsChanged() {
        var seam = Seam()
        _ = join(&seam, [Int16](repeating: 0, count: 160))
        seam.open()
        #expect(join(&seam, [Int16](repeating: 9000, count: 160)).allSatisfy { $0 == 9000 })
    }

    @Test func theLoudestStepDoesNotWrap() {
        var seam = Seam()
        _ = join(&seam, [.max])
        seam.open()
        let after = join(&seam, [Int16](repeating: .min, count: 160))
        #expect(after[0] == .max && after.last == .min && zip(after, after.dropFirst()).allSatisfy { $0 >= $1 })
    }
}
