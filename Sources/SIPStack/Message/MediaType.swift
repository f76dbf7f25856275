import COsipParser
import CShims

/// A Content-Type or one range of an Accept field, read by libosip2 and copied at once. Everything is lower case but parameter values.
struct MediaType: Sendable, Equatable {
    let type: String
    let subtype: String
    let parameters: [String: String]

    init?(_ text: String) {
        guard !text.utf8.contains(0), !text.isEmpty else { return nil }
        tandem_osip_initialise()
        var parsed: UnsafeMutablePointer<osip_content_type_t>?
        guard osip_content_type_init(&parsed) == 0, let header = parsed else { return nil }
        defer { osip_content_type_free(header) }
        guard osip_content_type_parse(header, text) == 0,
            let type = header.pointee.type.map({ String(cString: $0) }), let subtype = header.pointee.subtype.map({ String(cString: $0) })
        else { return nil }
        self.type = type.lowercased()
        self.subtype = subtype.lowercased()
        var parameters: [String: String] = [:]
        for index in 0..<max(0, osip_list_size(&header.pointee.gen_params)) {
            guard let element = osip_list_get(&header.pointee.gen_params, index) else { continue }
            let parameter = element.assumingMemoryBound(to: osip_generic_param_t.self).pointee
            guard let name = parameter.gname.map({ String(cString: $0) }) else { continue }
            var value = parameter.gvalue.map { String(cString: $0) } ?? ""
            if value.utf8.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") { value = String(value.dropFirst().dropLast()) }
            parameters[name.lowercased()] = value
        }
        self.parameters = parameters
    }

    var isSessionDescription: Bool { type == "application" && subtype == "sdp" }
    /// A text that somebody, or an agent, can read.
    var isText: Bool { type == "text" || type == "application" && subtype == "json" }
    var isMultipart: Bool { type == "multipart" }
    /// True where an Accept range covers application/sdp.
    var coversSessionDescription: Bool { type == "*" || type == "application" && (subtype == "sdp" || subtype == "*") }
}
