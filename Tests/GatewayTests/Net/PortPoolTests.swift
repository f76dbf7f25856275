import Testing

@testable import Gateway

@Suite struct PortPoolTests {
    @Test func aPortThatWasToldRestsAndOneThatWasNotDoesNot() {
        let pool = PortPool(30_000...30_019)
        for round in 0..<50 {
            guard let number = pool.open({ $0 }) else {
                Issue.record("no port in round \(round)")
                return
            }
            #expect(number.isMultiple(of: 2) && (30_000...30_018).contains(number))
            pool.release(number, rests: false)
        }
        var used: Set<Int> = []
        while let number = pool.open({ $0 }) {
            #expect(used.insert(number).inserted)
            pool.release(number)
        }
        #expect(used.count == 10)
        #expect(pool.count == 0)
    }
}
