/// Warns of what a plan says and its author can hardly have meant. Everything here is proved from the plan and the
/// configuration, nothing is guessed from samples.
struct PlanLint {
    let context: PlanContext
    let problems: ProblemList
    let routes: [Route]
    /// Where each route stands.
    let nodes: [YAMLNode]

    /// Adds a warning for each finding.
    func check() {
        var coverage = Coverage(routes)
        var changed: [String: Pattern] = [:]
        for index in routes.indices {
            checkNumberForms(index, &changed)
            if let earlier = coverage.covering(routes[index].when) {
                problems.warning("route “\(routes[index].name)” is never reached: \(takers(earlier, of: index))", at: nodes[index])
            } else {
                checkSteps(index, &coverage)
            }
            coverage.add(index)
        }
        checkEmergencyNumbers()
    }

    /// The node of one step.
    func stepNode(_ route: Int, _ step: Int) -> YAMLNode {
        guard case .mapping(let entries) = nodes[route].content, case .sequence(let items)? = entries.first(where: { $0.key == "do" })?.value.content,
            items.indices.contains(step)
        else { return nodes[route] }
        return items[step]
    }

    private func takers(_ earlier: [Int], of route: Int) -> String {
        let names = earlier.map { "“\(routes[$0].name)”" }
        guard let first = earlier.first, earlier.count == 1 else {
            let shown = names.count > 4 ? Array(names.prefix(3)) + ["\(names.count - 3) more"] : names
            return "\(shown.dropLast().joined(separator: ", ")) and \(shown.last ?? "") together take all of its calls"
        }
        let what = routes[first].when.isUnconditional ? "every call" : routes[first].when == routes[route].when ? "the same calls" : "all of its calls"
        return "\(names[0]) takes \(what)"
    }

    // MARK: Numbers that are never compared

    /// A pattern of numbers as people dial them never matches where numbers are compared in their international form.
    /// - changed: what `changedNumbers` said of countries asked for so far.
    private func checkNumberForms(_ index: Int, _ changed: inout [String: Pattern]) {
        let when = routes[index].when
        var country = ""
        if case .trunk(let name)? = when.via { country = context.trunks[name] ?? "" }
        for (key, pattern) in [("from", when.from), ("to", when.to)] {
            guard let pattern else { continue }
            if changed[country] == nil { changed[country] = PlanLint.changedNumbers(country: country) }
            if isNeverCompared(pattern, country, changed[country]) {
                problems.warning(
                    "route “\(routes[index].name)” never matches: \(key) is compared with numbers in their international form, "
                        + "such as +\(country.isEmpty ? "44" : country)…",
                    at: nodes[index])
                return
            }
        }
    }

    private func isNeverCompared(_ pattern: Pattern, _ country: String, _ changed: Pattern?) -> Bool {
        // A number with spaces in it is a name, but no number that is compared has any.
        if pattern.isName { return E164.normalise(pattern.text, country: country) != pattern.text }
        guard let changed, pattern.mayBeginWithDigit else { return false }
        var budget = Containment.Budget(units: 10_000)
        return Containment.isContained(pattern, in: changed, &budget)
    }

    /// What `E164.normalise` changes: nothing that is compared looks like this.
    static func changedNumbers(country: String) -> Pattern? {
        let expression = switch country {
        case "": #"00[1-9]\d*"#
        case "1": #"\d{10}|1\d{10}|00[1-9]\d*|011[1-9]\d*"#
        default: #"0?0[1-9]\d*"#
        }
        return try? Pattern(regex: expression)
    }
}

extension Pattern {
    /// Names and international numbers need no look at how numbers are completed.
    fileprivate var mayBeginWithDigit: Bool {
        switch form {
        case .name: false
        case .number(let plus, _, _): !plus
        case .regex: true
        }
    }
}
