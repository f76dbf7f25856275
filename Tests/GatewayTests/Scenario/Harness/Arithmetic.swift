import Foundation

func cosine(_ angle: Double) -> Double { cos(angle) }

func logarithm(_ value: Double) -> Double { log10(value) }

/// A variable of the process's environment, where it is set.
func environment(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

/// A file of that name in the folder for temporary files.
func temporaryPath(_ name: String) -> String { NSTemporaryDirectory() + name }

func powerOfTen(_ exponent: Double) -> Double { pow(10, exponent) }
