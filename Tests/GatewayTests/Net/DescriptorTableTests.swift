import Testing

@testable import Gateway

struct DescriptorTableTests {
    @Test func keepsWhatIsPutAndCountsIt() {
        var table = DescriptorTable<String>()
        table[700] = "far"
        table[3] = "near"
        table[3] = "nearer"
        #expect(table[700] == "far" && table[3] == "nearer" && table.count == 2)
        #expect(table[4] == nil && table[701] == nil && table[-1] == nil)
    }

    @Test func forgetsWhatIsRemoved() {
        var table = DescriptorTable<String>()
        table[9] = "there"
        #expect(table.remove(9) == "there")
        #expect(table.remove(9) == nil && table.remove(5000) == nil && table.remove(-1) == nil)
        table[-1] = "nowhere"
        table[5000] = nil
        #expect(table.isEmpty)
    }
}
