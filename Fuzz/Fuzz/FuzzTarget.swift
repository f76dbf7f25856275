/// One thing that reads bytes from outside. Whatever it is given it must not trap, hang, touch memory that is not its own, or keep any.
protocol FuzzTarget {
    /// Where the fuzzer begins.
    static var seeds: [[UInt8]] { get }
    static func run(_ input: FuzzInput)
}

/// Ends the run as a crash does: what should hold does not.
func require(_ holds: Bool, _ what: @autoclosure () -> String, file: StaticString = #file, line: UInt = #line) {
    if !holds { fatalError(what(), file: file, line: line) }
}
