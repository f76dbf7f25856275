/// What people dial in an emergency, by country code. Only numbers that the country's own regulator names for police, fire
/// or ambulance; a number that is missing here only means that nobody is reminded of it.
enum EmergencyNumbers {
    /// The digits callers dial, empty for countries not listed.
    static func numbers(country: String) -> [String] {
        if let own = byCountry[country] { return own }
        // 112 must reach help in all of the European Union and its neighbours of the single market (Directive (EU) 2018/1972, 109).
        return singleMarket.contains(country) ? ["112"] : []
    }

    private static let byCountry: [String: [String]] = [
        "1": ["911"],  // North American Numbering Plan; 47 CFR 9.4
        "27": ["112", "10111"],
        "33": ["112", "15", "17", "18"],
        "41": ["112", "117", "118", "144"],
        "43": ["112", "122", "133", "144"],
        "44": ["999", "112"],  // Ofcom, National Telephone Numbering Plan
        "49": ["112", "110"],  // TKG 164
        "52": ["911"],
        "55": ["190", "192", "193"],
        "61": ["000", "112"],
        "64": ["111"],
        "65": ["999", "995"],
        "81": ["110", "119"],
        "82": ["112", "119"],
        "86": ["110", "119", "120"],
        "91": ["112"],
        "353": ["112", "999"],
        "852": ["999"],
        "971": ["999", "998", "997"],
    ]

    private static let singleMarket: Set<String> = [
        "30", "31", "32", "34", "36", "39", "40", "45", "46", "47", "48", "351", "352", "354", "356", "357", "358", "359", "370", "371",
        "372", "385", "386", "420", "421", "423",
    ]
}
