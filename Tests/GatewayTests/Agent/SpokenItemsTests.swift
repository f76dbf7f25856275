import Testing

@testable import Gateway

@Suite struct SpokenItemsTests {
    @Test func whatWasNotHeardIsCutWhereItWas() {
        var items = SpokenItems()
        items.queued("a", contentIndex: 0, samples: 24_000, at: 0, heard: 0)
        items.queued("a", contentIndex: 0, samples: 24_000, at: 24_000, heard: 0)
        items.queued("b", contentIndex: 1, samples: 24_000, at: 48_000, heard: 10)
        let cuts = items.cut(at: 30_000, rate: 24_000)
        #expect(cuts == [.init(id: "a", contentIndex: 0, milliseconds: 1250), .init(id: "b", contentIndex: 1, milliseconds: 0)])
        #expect(items.isCut("a") && items.isCut("b") && !items.isCut("c"))
        #expect(items.cut(at: 30_000, rate: 24_000).isEmpty)
    }

    @Test func whatWasHeardToItsEndIsLeft() {
        var items = SpokenItems()
        items.queued("a", contentIndex: 0, samples: 8000, at: 0, heard: 0)
        items.queued("b", contentIndex: 0, samples: 8000, at: 8000, heard: 8000)
        #expect(items.cut(at: 8001, rate: 8000) == [.init(id: "b", contentIndex: 0, milliseconds: 0)])
        #expect(!items.isCut("a"))
    }

    @Test func lateSoundIsKnownForAWhile() {
        var items = SpokenItems()
        for number in 0..<100 {
            items.queued("\(number)", contentIndex: 0, samples: 10, at: 0, heard: 0)
            _ = items.cut(at: 5, rate: 8000)
        }
        #expect(items.isCut("99") && items.isCut("36") && !items.isCut("35"))
    }
}
