/// What can go wrong, and cost money, where calls leave by a trunk.
extension PlanLint {
    func checkSteps(_ index: Int, _ coverage: inout Coverage) {
        let route = routes[index]
        for (number, step) in route.steps.enumerated() {
            guard case .trunk(let step) = step else { continue }
            let node = stepNode(index, number)
            checkDialable(route, step, node)
            checkHosts(step, node)
            checkLoops(route, step, node, &coverage)
            checkToll(route, step, node, &coverage)
        }
    }

    private func checkDialable(_ route: Route, _ step: TrunkStep, _ node: YAMLNode) {
        guard step.to == nil, let to = route.when.to, to.isName else { return }
        if step.dialled(for: NormalisedNumber(given: to.text, e164: to.text)) == nil {
            problems.warning("this step is always passed over: “\(to.text)” is no number; say to: with the number to dial", at: node)
        }
    }

    private func checkHosts(_ step: TrunkStep, _ node: YAMLNode) {
        guard let hosts = context.hosts else { return }
        for name in step.trunks {
            let targets = hosts[name] ?? []
            if targets.isEmpty {
                problems.warning("trunk “\(name)” has no hosts: it can be called from, not dialled", at: node)
            } else if let own = targets.first(where: { context.ownAddresses.contains($0.address) }) {
                problems.warning("trunk “\(name)” leads to this gateway itself (\(own.address)): such a call comes back in", at: node)
            }
        }
    }

    // MARK: Loops

    private func checkLoops(_ route: Route, _ step: TrunkStep, _ node: YAMLNode, _ coverage: inout Coverage) {
        for name in step.trunks {
            guard route.when.via == nil || route.when.via == .trunk(name) else { continue }
            var when = route.when
            when.via = .trunk(name)
            if let number = step.to {
                let back = E164.normalise(number, country: context.trunks[name] ?? "")
                guard let to = route.when.to, to.matches(back) else { continue }
                problems.warning(
                    "this can go round and round: “\(number)” is itself a number of route “\(route.name)”, "
                        + "if trunk “\(name)” brings it back", at: node)
            } else if step.strip == 0, step.prepend.isEmpty, coverage.covering(when) == nil {
                // A name is never dialled, so it cannot come back either.
                if let to = route.when.to, to.isName { continue }
                problems.warning(
                    "this can go round and round: calls that came in by trunk “\(name)” leave by it with the same number; say via: in when", at: node)
            }
        }
    }

    // MARK: Toll fraud

    private func checkToll(_ route: Route, _ step: TrunkStep, _ node: YAMLNode, _ coverage: inout Coverage) {
        // A browser sends no SIP headers: a route that wants one takes no call of its.
        guard !context.browserIsAuthenticated, step.to == nil, route.when.headers.isEmpty,
            route.when.via == nil || route.when.via == .browser, route.when.to?.isBroad ?? true
        else { return }
        var when = route.when
        when.via = .browser
        guard coverage.covering(when) == nil else { return }
        problems.warning(
            "toll fraud: whoever opens the page can dial any such number by trunk “\(step.trunks.joined(separator: "”, “"))”, "
                + "for browser.auth is not set; narrow via: or to:", at: node)
    }

    // MARK: Emergency numbers

    /// Where people dial out by a trunk, they will once dial for help.
    func checkEmergencyNumbers() {
        guard context.hosts != nil else { return }
        var reported: Set<String> = []
        for (index, route) in routes.enumerated() {
            for (number, step) in route.steps.enumerated() {
                guard case .trunk(let step) = step, step.to == nil else { continue }
                for name in step.trunks {
                    let country = context.trunks[name] ?? ""
                    for emergency in EmergencyNumbers.numbers(country: country) where reported.insert(emergency).inserted {
                        if routes.contains(where: { $0.when.to?.matches(emergency) ?? true }) { continue }
                        problems.warning(
                            "no route takes the emergency number \(emergency), which callers may dial in the country (+\(country)) of trunk “\(name)”",
                            at: stepNode(index, number))
                    }
                }
            }
        }
    }
}

extension Pattern {
    /// Takes numbers of any length, or of any country.
    var isBroad: Bool {
        switch form {
        case .name: return false
        case .regex(let expression): return expression.automaton.isInfinite
        case .number(let plus, let positions, let tail):
            guard tail == .none else { return true }
            // Seven digits are a subscriber's number in the shortest of national plans; less is an extension.
            guard let first = positions.first, plus || positions.count >= 7 else { return false }
            return first.nonzeroBitCount > 1
        }
    }
}
