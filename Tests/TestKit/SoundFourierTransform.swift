import Glibc

/// A radix-2 Fourier transform, quick enough for ten seconds of sound in a debug build.
struct FourierTransform {
    struct Spectrum {
        var real: [Double]
        var imaginary: [Double]
    }

    let size: Int
    private let cosines: [Double]
    private let sines: [Double]

    /// The power of two that holds `count` values.
    static func size(for count: Int) -> Int {
        var size = 2
        while size < count { size *= 2 }
        return size
    }

    init(size: Int) {
        self.size = size
        cosines = (0..<size / 2).map { cos(2 * Double.pi * Double($0) / Double(size)) }
        sines = (0..<size / 2).map { -sin(2 * Double.pi * Double($0) / Double(size)) }
    }

    func forward(_ values: [Double]) -> Spectrum {
        var spectrum = Spectrum(
            real: values + [Double](repeating: 0, count: size - values.count), imaginary: [Double](repeating: 0, count: size))
        transform(&spectrum)
        return spectrum
    }

    /// The real part of the inverse transform.
    func inverseReal(_ spectrum: Spectrum) -> [Double] {
        var swapped = Spectrum(real: spectrum.imaginary, imaginary: spectrum.real)
        transform(&swapped)
        return swapped.imaginary.map { $0 / Double(size) }
    }

    private func transform(_ spectrum: inout Spectrum) {
        let size = size
        spectrum.real.withUnsafeMutableBufferPointer { real in
            spectrum.imaginary.withUnsafeMutableBufferPointer { imaginary in
                var target = 0
                for index in 1..<size {
                    var bit = size >> 1
                    while target & bit != 0 {
                        target ^= bit
                        bit >>= 1
                    }
                    target |= bit
                    if index < target {
                        real.swapAt(index, target)
                        imaginary.swapAt(index, target)
                    }
                }
                var half = 1
                while half < size {
                    pass(real, imaginary, half)
                    half *= 2
                }
            }
        }
    }

    private func pass(_ real: UnsafeMutableBufferPointer<Double>, _ imaginary: UnsafeMutableBufferPointer<Double>, _ half: Int) {
        let stride = size / (2 * half)
        cosines.withUnsafeBufferPointer { cosines in
            sines.withUnsafeBufferPointer { sines in
                var group = 0
                while group < size {
                    var index = 0
                    while index < half {
                        let (c, s) = (cosines[index &* stride], sines[index &* stride])
                        let low = group &+ index
                        let high = low &+ half
                        let a = real[high] * c - imaginary[high] * s
                        let b = real[high] * s + imaginary[high] * c
                        (real[high], imaginary[high]) = (real[low] - a, imaginary[low] - b)
                        (real[low], imaginary[low]) = (real[low] + a, imaginary[low] + b)
                        index &+= 1
                    }
                    group &+= 2 * half
                }
            }
        }
    }
}
