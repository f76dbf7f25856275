/// The library's `pointwiseMin`, `pointwiseMax` and `clamped` are not made for the elements' type: these are a few instructions.
extension SIMD4<Float> {
    /// Each element, or the limit's if that is more.
    func atLeast(_ limit: SIMD4<Float>) -> SIMD4<Float> { replacing(with: limit, where: self .< limit) }

    func atLeast(_ limit: Float) -> SIMD4<Float> { atLeast(SIMD4(repeating: limit)) }

    /// Each element, or the limit's if that is less.
    func atMost(_ limit: SIMD4<Float>) -> SIMD4<Float> { replacing(with: limit, where: self .> limit) }

    func atMost(_ limit: Float) -> SIMD4<Float> { atMost(SIMD4(repeating: limit)) }
}
