import Glibc

/// Real and synthetic voices for tests of what must not take speech for something else: 8000 samples a second, made when a test
/// asks for them, by espeak-ng and sox from the test machine.
public enum SoundCorpus {
    /// A program that makes the sound is missing or failed.
    public struct Failure: Error {
        public let command: String
    }

    /// Six voices of six languages reading the same text, several minutes.
    public static func readers() throws -> [Int16] {
        let voices = ["en-us+m1 -p 50", "en-gb+f2 -p 75", "de+f4 -p 60", "fr+m5 -p 40", "es+f1 -p 85", "ru+m3 -p 30", "en+croak -p 50", "pl+f5 -p 99"]
        let all = voices.map { "espeak-ng -v \($0) -s 160 --stdout \"$text\" | sox -t wav - \(raw) -" }
        return try samples("text='\(sentences)'; " + all.joined(separator: " && "))
    }

    /// Asterisk's recorded prompts: one speaker in English, many minutes.
    public static func prompts() throws -> [Int16] {
        try samples("sox $(dpkg -L asterisk-core-sounds-en-wav | grep '[.]wav$') \(raw) -")
    }

    private static let raw = "-t raw -r 8000 -b 16 -e signed-integer -c 1"

    private static let sentences = """
        Numbers from zero to nine: 0 1 2 3 4 5 6 7 8 9, one hundred and eleven, two thousand. \
        You have reached the support line, please hold while we try to find somebody who can help you. \
        Ooh, aah, eee, mmm, hmm, oh no, yes indeed. Who knew how few do move through blue moonlight at noon. \
        The operator will see me in the evening, she said, three green trees need cheap seeds. \
        Beep beep, press any key to hear the menu again, and leave your message after the tone. \
        Arithmetic, alphabetically ordered: alpha, bravo, charlie, delta, echo, foxtrot, golf, hotel, india, juliet, kilo, lima, mike, \
        november, oscar, papa, quebec, romeo, sierra, tango, uniform, victor, whiskey, x-ray, yankee, zulu. \
        Every morning the old lady walked along the narrow lane to the well and sang a long low song of her own. \
        Four hundred and forty four people phoned before noon; nobody answered, and the line was busy all afternoon. \
        Please enter your account number followed by the hash key, or say it slowly after the signal. Thank you for waiting.
        """

    private static func samples(_ command: String) throws -> [Int16] {
        guard let pipe = popen("set -e; \(command)", "r") else { throw Failure(command: command) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, pipe), count > 0 { bytes += chunk[..<count] }
        guard pclose(pipe) == 0, !bytes.isEmpty else { throw Failure(command: command) }
        return bytes.withUnsafeBytes { raw in
            (0..<raw.count / 2).map { raw.loadUnaligned(fromByteOffset: 2 * $0, as: Int16.self) }
        }
    }
}
